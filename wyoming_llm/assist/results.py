"""Results of Assist's tools, read. No I/O.

Home Assistant sends `{"data": ..., "error": ...}`, and before 2026.11 the data alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from wyoming_llm.assist.overview import ListedEntity, read_list

_DONE: Final = ("action_done", "partial_action_done", "query_answer")


@dataclass(frozen=True, slots=True)
class ToolOutcome:
    """The outcome of one call."""

    data: Mapping[str, Any]
    succeeded: bool

    @classmethod
    def of(cls, result: Any) -> "ToolOutcome":
        """Read a result; it has succeeded only where it says so."""
        if not isinstance(result, Mapping):
            return cls({}, succeeded=False)
        wrapped = set(result) <= {"data", "error"} and isinstance(result.get("data"), Mapping)
        data: Mapping[str, Any] = result["data"] if wrapped else result
        if (wrapped and result.get("error")) or data.get("error"):
            return cls(data, succeeded=False)
        kind = data.get("response_type")
        if kind is not None:
            told = data.get("data")
            failed = told.get("failed") if isinstance(told, Mapping) else None
            return cls(data, succeeded=kind in _DONE and not failed)
        return cls(data, succeeded=bool(data.get("success") or "result" in data or wrapped))

    @property
    def speech_slots(self) -> Mapping[str, Any]:
        """The findings of an intent."""
        slots = self.data.get("speech_slots")
        return slots if isinstance(slots, Mapping) else {}

    def listed(self) -> list[ListedEntity] | None:
        """Return the entities whose states it tells, None where it tells none."""
        text = self.data.get("result")
        if not self.succeeded or not isinstance(text, str):
            return None
        return read_list(text)

    def rows(self, key: str) -> Sequence[Mapping[str, Any]] | None:
        """Return the rows that it lists, None where it lists none."""
        rows = self.data.get(key)
        if not self.succeeded or not isinstance(rows, list):
            return None
        return [row for row in rows if isinstance(row, Mapping)]
