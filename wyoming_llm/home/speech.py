"""What is said about the home, by Home Assistant's own templates where there are some."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from jinja2 import TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from wyoming_common.home import Entity, State

_LOGGER = logging.getLogger(__name__)

_ENVIRONMENT: Final = ImmutableSandboxedEnvironment()


@dataclass(frozen=True, slots=True)
class Shown:
    """An entity as the templates know it."""

    entity_id: str
    name: str
    domain: str
    state: str
    attributes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def state_with_unit(self) -> str:
        unit = self.attributes.get("unit_of_measurement")
        return f"{self.state} {unit}" if unit else self.state

    @classmethod
    def of(cls, entity: Entity, state: State) -> "Shown":
        return cls(entity.id, entity.name, entity.domain, state.value, state.attributes)


def say(
    template: str,
    slots: Mapping[str, Any],
    matched: Sequence[Shown] = (),
    unmatched: Sequence[Shown] = (),
    now: datetime | None = None,
) -> str:
    """Return the answer, "" where the template is broken or says nothing."""
    moment = now or datetime.now().astimezone()
    every = [*matched, *unmatched]
    attributes = {shown.entity_id: shown.attributes for shown in every}
    return render(
        template,
        slots=dict(slots) | {"time": moment.time(), "date": moment.date()},
        state=every[0] if every else None,
        query={"matched": list(matched), "unmatched": list(unmatched)},
        state_attr=lambda entity, name: attributes.get(entity, {}).get(name),
    )


def render(template: str, **values: Any) -> str:
    """Return a template of Home Assistant's with `values` in it, "" where it is broken."""
    try:
        text = _ENVIRONMENT.from_string(template).render(values)
    except (TemplateError, TypeError, ValueError, ArithmeticError, AttributeError) as err:
        _LOGGER.debug("A response cannot be said: %s", err)
        return ""
    return " ".join(text.split())
