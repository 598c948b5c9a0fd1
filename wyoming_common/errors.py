"""Errors a client or a user is told about. Anything else is a bug and is logged with a traceback.

ServiceError
    ConfigError        a setting, a flag or a file of settings is wrong
    UnknownEngine, UnknownModel, UnknownVoice, UnknownLanguage
    MissingDependency  an optional package is not installed
    BadRequest         an event that does not fit the protocol or the conversation so far
        BadAudio       audio that cannot be read
        TooLarge       more than a limit allows
    ModelError         a model file is missing, cut short or corrupt
    DownloadError      a model could not be fetched
    NoSpace            the disk is full
    NoMemory           there is too little memory for what was asked
    Refused            a client that may not connect
    Busy               too much work is waiting already
    Unavailable        another service cannot be reached, or went away
    TimedOut           something took longer than it may
"""


class ServiceError(Exception):
    """Base class; `code` is the machine-readable code of the Wyoming `error` event."""

    code = "service-error"


class ConfigError(ServiceError):
    code = "bad-config"


class UnknownEngine(ServiceError):
    code = "unknown-engine"


class UnknownModel(ServiceError):
    code = "unknown-model"


class UnknownVoice(ServiceError):
    code = "unknown-voice"


class UnknownLanguage(ServiceError):
    code = "unknown-language"


class MissingDependency(ServiceError):
    code = "missing-dependency"


class BadRequest(ServiceError):
    code = "bad-request"


class BadAudio(BadRequest):
    code = "bad-audio"


class TooLarge(BadRequest):
    code = "too-large"


class ModelError(ServiceError):
    code = "bad-model"


class DownloadError(ServiceError):
    code = "download-failed"


class NoSpace(ServiceError):
    code = "no-space"


class NoMemory(ServiceError):
    code = "no-memory"


class Refused(ServiceError):
    code = "refused"


class Busy(ServiceError):
    code = "busy"


class Unavailable(ServiceError):
    code = "unavailable"


class TimedOut(ServiceError):
    code = "timed-out"


_ALLOCATION = (
    "bad_alloc", "bad allocation", "failed to allocate memory", "out of memory",
    "can't start new thread",
)  # fmt: skip
"""How libraries, and Python for a thread, say that there is no memory."""


def lacks_memory(error: BaseException | None) -> bool:
    """Whether memory that could not be had is the reason of `error`."""
    while error is not None:
        if isinstance(error, MemoryError) or any(
            said in str(error).lower() for said in _ALLOCATION
        ):
            return True
        error = error.__cause__
    return False
