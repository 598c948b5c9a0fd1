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
    Unavailable        another service failed, or went away
        Unreachable    no connection to it could be made
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


class Unreachable(Unavailable):
    """No connection could be made: the other side is off, or the network is."""


class TimedOut(ServiceError):
    code = "timed-out"


_ALLOCATION = (
    "bad_alloc", "bad allocation", "failed to allocate memory", "out of memory",
    "can't start new thread",
)  # fmt: skip
"""Words of libraries, and of Python for a thread, for a failed allocation of memory."""


def lacks_memory(error: BaseException | None) -> bool:
    """Whether memory that could not be had on this machine is the reason of `error`.

    The text of an Unavailable does not count: it may quote another server.
    """
    while error is not None:
        if isinstance(error, MemoryError | NoMemory):
            return True
        text = "" if isinstance(error, Unavailable) else str(error).lower()
        if any(words in text for words in _ALLOCATION):
            return True
        error = error.__cause__
    return False
