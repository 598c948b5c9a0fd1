"""docs/settings.md holds what the settings classes say."""

from pathlib import Path

from script import settings_docs
from tests.addons.options import SETTINGS


def test_the_reference_of_settings_is_up_to_date() -> None:
    text = Path(settings_docs.PAGE).read_text(encoding="utf-8")

    assert text == settings_docs.page(), "run script/settings-docs"


def test_every_setting_of_every_program_is_in_the_reference() -> None:
    page = settings_docs.page()

    for cls in SETTINGS.values():
        section = page[: page.index("## Speech-to-text")] + page.partition(f"`{cls.program()}`")[2]
        for name, field in cls.model_fields.items():
            assert f"| `--{name.replace('_', '-')}` |" in section, name
            assert field.description, f"{name}: a description, with the unit"
