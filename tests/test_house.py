"""The checks of script/house.py find what they are for, and nothing else."""

from pathlib import Path

import pytest

from script import house

HEAD = '"""Token bucket."""\n'


def texts(source: str, path: str = "wyoming_common/net/limits.py") -> list[str]:
    return [finding.text for finding in house.check_source(path, source)]


@pytest.mark.parametrize(
    "source",
    [
        HEAD,
        '"""Frames of 10 ms, None where the device has no input."""\n',
        HEAD + 'MAX_WAITING_SECONDS = 3.0\n"""Longest wait for a place, in seconds."""\n',
        HEAD + "# When the queue is full, the oldest frame is dropped.\n",
        HEAD + 'def take() -> bool:\n    """Whether a token was there."""\n    return True\n',
        HEAD + 'TEXT = "nobody"\n',
        HEAD + "# None of these is None.\n",
    ],
)
def test_plain_code_has_no_findings(source: str) -> None:
    assert texts(source) == []


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("X = 1\n", "no module docstring"),
        ('"""Which model judges pauses."""\n', 'opens like a question: "Which model'),
        (HEAD + 'def run() -> None:\n    """How it runs."""\n', 'opens like a question: "How it'),
        (HEAD + 'X = 1\n"""What is kept."""\n', 'opens like a question: "What is'),
        (HEAD + "# Who waits\n", 'opens like a question: "# Who waits'),
        (HEAD + "X = 1  # there is none\n", 'banned phrase: "is none"'),
        ('"""A queue for whoever\n waits."""\n', 'banned phrase: "whoever"'),
        (HEAD + 'raise ValueError(f"{1}: that is none")\n', 'banned phrase in a text: "is none"'),
        (HEAD + "_SECONDS = 3.0\n", "_SECONDS: name a bound"),
        (HEAD + "_MOST_BYTES = 3\n", "_MOST_BYTES: name a bound"),
        (HEAD + "class C:\n    LEAST: int = 3\n", "LEAST: name a bound"),
        (HEAD + "class FrontDoor:\n    pass\n", "class name FrontDoor"),
    ],
)
def test_a_broken_rule_is_found(source: str, expected: str) -> None:
    found = texts(source)

    assert len(found) == 1
    assert found[0].startswith(expected)


def test_a_module_named_by_a_vague_word_is_found() -> None:
    assert texts(HEAD, "satellite/ears.py") == ["module name ears: use the field's term"]


def test_a_test_named_by_a_question_is_found() -> None:
    found = texts("def test_what_is_kept() -> None:\n    pass\n", "tests/test_x.py")

    assert found == ["test_what_is_kept: a test's name states a claim"]


def test_two_public_classes_of_one_name_are_found_at_both_places() -> None:
    sources = [
        ("satellite/a.py", "class Turn:\n    pass\n"),
        ("parley/b.py", "X = 1\nclass Turn:\n    pass\n"),
        ("parley/c.py", "class _Turn:\n    pass\n"),
        ("tests/d.py", "class Turn:\n    pass\n"),
    ]

    found = [str(finding) for finding in house.check_class_names(sources)]

    assert found == [
        "satellite/a.py:1: class Turn is also in parley/b.py",
        "parley/b.py:2: class Turn is also in satellite/a.py",
    ]


def test_folders_are_held_to_their_shape(tmp_path: Path) -> None:
    for service in house.SERVICES:
        (tmp_path / service / "engines").mkdir(parents=True)
        registry = f'ENGINES = {{"toy": "{service}.engines.toy:Toy"}}\n'
        (tmp_path / service / "engines" / "__init__.py").write_text(registry)
        (tmp_path / service / "engines" / "toy.py").touch()
        for name in house.SERVICE_ROOT:
            (tmp_path / service / f"{name}.py").touch()
    (tmp_path / "wyoming_common").mkdir()
    assert list(house.check_folders(tmp_path)) == []

    for number in range(house.MAX_LOOSE_MODULES + 1):
        (tmp_path / "wyoming_common" / f"m{number}.py").touch()
    (tmp_path / "wyoming_stt" / "extra.py").touch()
    (tmp_path / "wyoming_llm" / "info.py").unlink()
    (tmp_path / "wyoming_tts" / "engines" / "glue.py").touch()

    found = [finding.text.partition(":")[0] for finding in house.check_folders(tmp_path)]

    assert found == [
        "9 loose modules, at most 8",
        "extra.py at the root",
        "info.py is missing at the root",
        "glue is not a registered engine",
    ]


def test_lengths_are_notes_and_not_findings() -> None:
    sources = [
        ("satellite/long.py", HEAD + "X = 1\n" * house.MAX_FILE_LINES),
        ("satellite/short.py", HEAD),
        ("satellite/__main__.py", HEAD),
        ("satellite/right.py", HEAD + "X = 1\n" * house.MIN_FILE_LINES),
    ]

    assert [note.path for note in house.notes(sources, short=True)] == [
        "satellite/long.py",
        "satellite/short.py",
    ]
