"""Test of a model file in a child process, because llama.cpp ends its process for much.

    python -m wyoming_llm.llama.probe MODULE:LIBRARY MODEL plain|extras

A file whose numbers do not fit each other ends it, though the file is whole; its chat template is
a program, which may ask for more memory than there is, or never end. And CPUs with AMX announce
it also inside virtual machines that do not carry it: the first use of it then kills the process,
and no library asks before.
"""

import hashlib
import importlib
import logging
import resource
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

from wyoming_common.errors import BadRequest, ModelError, lacks_memory
from wyoming_llm.engine import Message, Prompt
from wyoming_llm.llama.library import LlamaLibrary
from wyoming_llm.llama.runtime import LlamaRuntime, Options
from wyoming_llm.llama.template import ChatTemplate

_LOGGER = logging.getLogger(__name__)

_MAX_PROBE_SECONDS: Final = 120
_MAX_TEMPLATE_CPU_SECONDS: Final = 20
"""A template takes milliseconds."""
_MAX_TEMPLATE_BYTES: Final = 500_000_000
_BAD_TEMPLATE: Final = 3
_ASKED: Final = (Message("user", "Hi."), Message("assistant", "Hello."), Message("user", "Hi."))
_TOKENS: Final = list(range(100, 116))
"""Any tokens: only a batch of several uses the matrix units."""


def usable_extras(library: LlamaLibrary, model: Path) -> bool:
    """Whether the weights may be laid out for special units of this CPU."""
    if not _has_amx():
        return True
    status = _probe(library, model, "extras")
    if status < 0:
        _LOGGER.warning("This CPU's AMX units do not work here; going on without them")
    return status == 0


def check_loads(library: LlamaLibrary, model: Path, identity: str, folder: Path) -> None:
    """Raise ModelError for a file that llama.cpp does not survive, or whose template is harmful.

    That a file of this `identity` was survived is remembered in `folder`.
    """
    known = folder / f"{hashlib.sha256(identity.encode()).hexdigest()[:24]}.loads"
    if known.exists():
        return
    status = _probe(library, model, "plain")
    if status in (_BAD_TEMPLATE, -signal.SIGXCPU):
        raise ModelError(
            f"model: the chat template of {model} is broken, or takes too much time or memory"
        )
    if status < 0:
        raise ModelError(f"model: {model} is corrupt: llama.cpp cannot load it")
    if status == 0:
        with suppress(OSError):  # looked at again the next time
            folder.mkdir(parents=True, exist_ok=True)
            known.touch()


def _probe(library: LlamaLibrary, model: Path, how: str) -> int:
    """Return the exit status of a process that loads and asks the model; 1 where none can."""
    kind = type(library)
    target = f"{kind.__module__}:{kind.__qualname__}"
    command = [sys.executable, "-m", "wyoming_llm.llama.probe", target, str(model), how]
    try:
        return subprocess.run(
            command, capture_output=True, timeout=_MAX_PROBE_SECONDS, check=False
        ).returncode
    except (OSError, subprocess.TimeoutExpired):
        return 1


def _has_amx() -> bool:
    try:
        return " amx_int8" in Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace")
    except OSError:
        return False


def main() -> None:
    target, model, how = sys.argv[1:]
    module, _, name = target.partition(":")
    library: LlamaLibrary = getattr(importlib.import_module(module), name)()
    options = Options(
        context=256,
        threads=1,
        threads_batch=1,
        gpu_layers=0,
        extras=how == "extras",
    )
    runtime = LlamaRuntime(library, Path(model), options)
    context = runtime.open(options.context)
    context.decode(_TOKENS, 0)
    context.close()
    try:
        _try_template(runtime)
    except BadRequest as err:  # it wants other messages than these
        harmful = lacks_memory(err)
    except (MemoryError, ModelError):
        harmful = True
    else:
        harmful = False
    if harmful:
        sys.exit(_BAD_TEMPLATE)
    runtime.close()


def _try_template(runtime: LlamaRuntime) -> None:
    """Render the model's template with little time and memory. Raises what comes of it."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = int(used.ru_utime + used.ru_stime) + _MAX_TEMPLATE_CPU_SECONDS
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    most = pages * resource.getpagesize() + _MAX_TEMPLATE_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    template = ChatTemplate(
        runtime.metadata("tokenizer.chat_template"),
        runtime.token_text("bos"),
        runtime.token_text("eos"),
        runtime.control_texts(),
    )
    template.render(Prompt(_ASKED))


if __name__ == "__main__":
    main()
