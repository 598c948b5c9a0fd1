"""Timer events of Home Assistant, applied to the satellite's timers."""

from wyoming.event import Event
from wyoming.timer import TimerCancelled, TimerFinished, TimerStarted, TimerUpdated

from satellite.core.timers import Timer, Timers

TIMER_EVENTS = frozenset({"timer-started", "timer-updated", "timer-cancelled", "timer-finished"})


def apply_timer_event(timers: Timers, event: Event, at: float) -> None:
    """Apply one of TIMER_EVENTS. Raises ValueError and the like for a malformed event."""
    if TimerStarted.is_type(event.type):
        started = TimerStarted.from_event(event)
        timers.started(started.id, Timer(started.name or "", started.total_seconds, at))
    elif TimerUpdated.is_type(event.type):
        updated = TimerUpdated.from_event(event)
        timers.updated(updated.id, updated.total_seconds, at, active=updated.is_active)
    elif TimerCancelled.is_type(event.type):
        timers.cancelled(TimerCancelled.from_event(event).id)
    elif TimerFinished.is_type(event.type):
        timers.finished(TimerFinished.from_event(event).id, at)
