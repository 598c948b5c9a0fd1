"""Render Home Assistant's response templates, which are Jinja, in a sandbox."""

import logging
from typing import Any, Final

from jinja2 import TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

_LOGGER = logging.getLogger(__name__)

_ENVIRONMENT: Final = ImmutableSandboxedEnvironment()


def render(template: str, **values: Any) -> str:
    """Return `template` filled with `values`, its white space collapsed; "" where it is broken."""
    try:
        text = _ENVIRONMENT.from_string(template).render(values)
    except (TemplateError, TypeError, ValueError, ArithmeticError, AttributeError) as err:
        _LOGGER.debug("A response template failed: %s", err)
        return ""
    return " ".join(text.split())
