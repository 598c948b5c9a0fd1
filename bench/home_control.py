"""Home control judged by the states of the real Home Assistant: right changes, and no others.

    python -m bench.home_control --set intents devices own nonsense [--home NAME] [--limit N]
        [--language de] [--model NAME] [--allow-risky] [--agent assist|own] [--speech VOICE]
        [-- --WYOMING-LLM-FLAG ...]

Starts the Home Assistant that tests/homeassistant/install.sh made (root, Debian) and `wyoming-llm`
as processes in a network namespace, builds each home from simulated devices
(bench/homes/made_home), and says each sentence through a pipeline, from a satellite in the room
of the device that is meant. A sentence is right when every expected change happened and nothing
else changed. A question that comes back is answered with yes where something was to be done;
--allow-risky spares those before locks, covers, valves and alarms. With --speech a voice says each
sentence, and what `wyoming-stt` understands of it is asked.
"""

import argparse
import asyncio
import json
import math
import os
import random
import re
import shutil
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bench.home_sets import Case, Set, read_set
from bench.spoken_front import SpokenFront
from tests.homeassistant.client import Client, connect
from tests.homeassistant.furnished import Home, conversation_service, join
from tests.homeassistant.hass import HomeAssistant
from tests.homeassistant.machines import Program

INSTALLED: Final = Path.home() / ".cache" / "parley" / "home-assistant"
DATA: Final = Path(__file__).parents[2] / "shared" / "homecontrol"
_INSIDE: Final = "PARLEY_BENCH_INSIDE"
_LLM_PORT: Final = 10690
_METRICS: Final = "http://127.0.0.1:18690"
_HTTP: Final = "http://127.0.0.1:18691"
_SETTLE_SECONDS: Final = 8.0
"""Time that a slow device may take after the reply"""
_DEVICES: Final = Path(__file__).parent / "homes" / "made_home"
_RISKY: Final = ("lock", "cover", "valve", "alarm_control_panel")
_YES: Final = {"en": "yes", "de": "ja", "fr": "oui", "es": "sí", "nl": "ja", "it": "sì"}
CONFIGURATION: Final = """
homeassistant:
  name: Bench
  latitude: 52.0
  longitude: 13.0
  elevation: 30
  unit_system: metric
  time_zone: UTC
  country: US
  language: en
config:
conversation:
assist_pipeline:
assist_satellite:
intent:
stt:
tts:
wake_word:
logger: {default: warning}
made_home:
"""

Held = Mapping[str, Mapping[str, Any]]
_CALLED: Final = {
    "current_position": ("current_cover_position", "current_valve_position"),
    "percentage": ("held",),
    "temperature": ("target_temperature",),
}
"""Names that the simulated devices have for attributes of Home Assistant"""
_TOLERANCES: Final = {"brightness": 2.0, "volume_level": 0.011, "held": 1.0}
_CLAIM: Final = re.compile(
    r"\b(turned|switched|opened|closed|locked|unlocked|set to|started|paused|stopped|added|"
    r"activated|dimmed|opening|closing|muted|resumed|playing|"
    r"eingeschaltet|ausgeschaltet|geöffnet|geschlossen|verriegelt|entriegelt|gestartet|hinzugefügt|"
    r"allumée?s?|éteinte?s?|ouverte?s?|fermée?s?|verrouillée?s?|ajoutée?s?|lancée?s?|"
    r"encendid[oa]s?|apagad[oa]s?|abiert[oa]s?|cerrad[oa]s?|bloquead[oa]s?|añadid[oa]s?|"
    r"ingeschakeld|aangezet|uitgeschakeld|uitgezet|geopend|gesloten|vergrendeld|toegevoegd|"
    r"acces[oaie]|spent[oaie]|apert[oaie]|chius[oaie]|bloccat[oaie]|aggiunt[oaie])\b",
    re.IGNORECASE,
)
_DENIAL: Final = re.compile(
    r"\?|sorry|not|n.t\b|unable|leider|nicht|kein|désolé|\bpas\b|lo siento|\bno\b|niet|geen|"
    r"spiac|\bnon\b|\balready\b|bereits|déjà|\bya\b|\bal\b|\bgià\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Replies to one sentence, and the changes that are wrong."""

    case: Case
    replies: Sequence[str]
    differences: Sequence[str]
    """Changes that are missing, and with a `!` changes that nothing asked for"""
    milliseconds: float
    by_model: bool
    asked: bool
    heard: str = ""
    """Transcript of the sentence where it was spoken"""

    @property
    def right(self) -> bool:
        """Whether the expected changes happened, nothing else did, and the reply is as expected."""
        return not self.differences

    @property
    def wrong_action(self) -> bool:
        """Whether something changed that should not have."""
        return any(one.startswith("!") for one in self.differences)

    @property
    def false_claim(self) -> bool:
        """Whether the last reply speaks of a deed that did not happen."""
        reply = self.replies[-1]
        missing = any(not one.startswith(("!", "reply")) for one in self.differences)
        nonsense = self.case.kind == "nonsense"
        return bool((missing or nonsense) and _CLAIM.search(reply) and not _DENIAL.search(reply))


def judge(
    before: Held, after: Held, expected: Mapping[str, Any], ignored: Iterable[str] = ()
) -> list[str]:
    """Return the differences between what changed and what should have; nothing where all is right.

    A difference that starts with `!` is a change that nothing asked for.
    """
    differences = []
    for entity in sorted(before.keys() | after.keys()):
        wanted = _wanted(expected.get(entity) or {}, before.get(entity) or {})
        now, then = after.get(entity) or {}, before.get(entity) or {}
        for key in sorted(now.keys() | then.keys() | wanted.keys()):
            value = now.get(key)
            if key in wanted:
                if not matches(key, value, wanted[key]):
                    changed = "!" if value != then.get(key) and not _on_the_way(value) else ""
                    differences.append(f"{changed}{entity} {key}: {value}, not {wanted[key]}")
            elif value != then.get(key) and not _follows(key, wanted, entity in ignored):
                differences.append(f"!{entity} {key}: {then.get(key)} became {value}")
    return differences


def _wanted(expected: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    wanted = {}
    if "state" in expected:
        wanted["state"] = expected["state"]
    for name, value in (expected.get("attributes") or {}).items():
        called = [name, *_CALLED.get(name, ())]
        wanted[next((key for key in called if key in before), name)] = value
    return wanted


def _follows(key: str, wanted: Mapping[str, Any], ignored: bool) -> bool:
    """Whether a change of `key` follows from what was wanted: a new position opens a cover."""
    if not wanted:
        return False
    positions = {"current_cover_position", "current_valve_position"}
    if key == "state":
        return bool(positions & wanted.keys()) or "brightness" in wanted or "items" in wanted
    return ignored or (
        (key in positions and "state" in wanted) or (key == "items" and "state" in wanted)
        or (key == "rgb_color" and "color_temp_kelvin" in wanted)
        or (key == "names" and "seconds" in wanted)
    )  # fmt: skip


def matches(key: str, value: Any, wanted: Any) -> bool:
    """Whether `value` is `wanted`, or fulfils the condition that `wanted` is."""
    if isinstance(wanted, Mapping):
        if "any" in wanted:
            return any(matches(key, value, one) for one in wanted["any"])
        number = float(value) if isinstance(value, int | float) else float("nan")
        return bool(number > wanted["above"] if "above" in wanted else number < wanted["below"])
    if isinstance(wanted, list | tuple):
        return list(value or ()) == list(wanted)
    if _is_number(wanted) and _is_number(value):
        return bool(abs(value - wanted) <= _TOLERANCES.get(key, 0.05))
    return bool(value == wanted) or str(value) == str(wanted)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _on_the_way(value: Any) -> bool:
    return value in {"opening", "closing", "locking", "unlocking"}


@dataclass(frozen=True, slots=True, kw_only=True)
class RigOptions:
    """Programs that a rig starts."""

    home_assistant: Path = INSTALLED
    """Folder that tests/homeassistant/install.sh made"""
    agent: str = "parley"
    """parley; assist for Home Assistant's llama.cpp integration, which calls Assist's tools through
    our OpenAI-compatible server; own for Home Assistant's own agent without a model"""
    model: str = ""
    allow_risky: bool = False
    """Whether locks, covers, valves and alarms need no question"""
    flags: Sequence[str] = ()
    """Further arguments of wyoming-llm"""
    speech: str = ""
    """Voice that says the sentences, "" for text"""
    stt_model: str = "base"


class Rig:
    """A Home Assistant with one home at a time, and an agent that answers."""

    def __init__(self, options: RigOptions, directory: Path, token: str) -> None:
        self._options = options
        self._directory = directory
        self._token_file = directory / "token"
        self._token_file.write_text(token, encoding="utf-8")
        self._service: Program | None = None
        self.home: Home
        self._client: Client
        self._satellites: Mapping[str, str] = {}
        self._conversation = 0
        self._seen: dict[str, str] = {}
        self._front: SpokenFront | None = None

    async def move_in(self, client: Client, token: str) -> None:
        """Add the simulated devices to Home Assistant."""
        self._client = client
        self.home = Home(client, token, self._directory, {"own": "conversation.home_assistant"})
        answer = await client.flow("made_home")
        assert answer["type"] == "create_entry", answer
        await self._until_action()

    async def _until_action(self) -> None:
        async with asyncio.timeout(60):
            while "made_home" not in await self._client.call("get_services"):  # noqa: ASYNC110
                await asyncio.sleep(0.2)

    async def build(self, described: Mapping[str, Any]) -> None:
        """Replace the home, and restart the agent in it."""
        made = await self._action("build", home=described)
        self._satellites = made["satellites"]
        ids = [entity for _, entity in made["entities"]]
        hidden = {one["id"] for one in described["entities"] if one.get("exposed") is False}
        for named, entity in made["entities"]:
            aliases = next(
                (one.get("aliases") for one in described["entities"] if one["id"] == named), None
            )
            if aliases:
                await self._client.call(
                    "config/entity_registry/update", entity_id=entity, aliases=[None, *aliases]
                )
        every = [row["entity_id"] for row in await self._client.call("get_states")]
        shown = [entity for entity in ids if entity not in hidden]
        for group, exposed in ((shown, True), (sorted(set(every) - set(shown)), False)):
            await self._client.call(
                "homeassistant/expose_entity",
                assistants=["conversation"],
                entity_ids=group,
                should_expose=exposed,
            )
        if self._options.agent != "own":
            await self._start(ids)
        if self._options.speech:
            await self._listen()

    async def _start(self, ids: Sequence[str]) -> None:
        if self._service is not None:
            self._service.stop()
        http = _HTTP if self._options.agent == "assist" else "off"
        flags = ["--http-uri", http, "--metrics-uri", _METRICS]
        if self._options.model:
            flags += ["--model", self._options.model]
        if self._options.allow_risky:
            for entity in ids:
                if entity.startswith(_RISKY):
                    flags += ["--risky", entity]
        self._service = conversation_service(
            "parley", _LLM_PORT, self._token_file, self._directory, *flags, *self._options.flags
        )
        await asyncio.to_thread(self._service.start)
        if self._options.agent in self.home.agents:
            return
        if self._options.agent == "assist":
            await self._join_assist()
        else:
            await join(self.home, "parley", _LLM_PORT)

    async def _join_assist(self) -> None:
        """Add Home Assistant's llama.cpp integration, with Assist as its tools."""
        url = f"{_HTTP}/v1"
        async with self._client.session.get(f"{url}/models") as response:
            model = (await response.json())["data"][0]["id"]
        entry = await self._client.flow("llama_cpp", {"base_url": url}, {"chat_model": model})
        assert entry["type"] == "create_entry", entry
        async with asyncio.timeout(60):
            while not (entities := await self._client.entities("llama_cpp")):  # noqa: ASYNC110
                await asyncio.sleep(0.2)
        agents = [entity for entity in entities if entity.startswith("conversation.")]
        self.home.agents["assist"] = agents[0]

    async def _listen(self) -> None:
        """Start the voice and the speech-to-text service again, with the names of this home."""
        if self._front is not None:
            self._front.stop()
        flags = ("--model", self._options.stt_model)
        self._front = SpokenFront(self._options.speech, self._directory, self._token_file, flags)
        await self._front.start()

    def stop(self) -> None:
        """End the agent."""
        if self._front is not None:
            self._front.stop()
        if self._service is not None:
            self._service.stop()

    async def put(self, states: Mapping[str, Any]) -> Held:
        """Put entities into a state and all others back to their first one; return what is held."""
        held: Held = (await self._action("put", states=states))["held"]
        self._conversation += 1
        return held

    async def look(self) -> Held:
        """Return what every entity holds."""
        held: Held = (await self._action("look"))["held"]
        return held

    async def ask(self, text: str, *, area: str = "", language: str = "en") -> str:
        """Return the reply to a sentence; one conversation lasts until the next `put`."""
        self.home.device = self._satellites.get(area, "")
        conversation = f"bench-{os.getpid()}-{self._conversation}"
        answer = await self.home.ask(self._options.agent, text, conversation, language=language)
        return answer.said

    async def say(self, case: Case) -> Result:
        """Put the home into the state of a case, say its sentence, and judge what followed."""
        text = case.text
        if self._front is not None:
            text = await self._front.hear(text, case.language)
        before = await self.put(case.before)
        began = time.monotonic()
        replies = [await self.ask(text, area=case.area, language=case.language)]
        took = (time.monotonic() - began) * 1000
        by_model = await self._by_model()
        asked = replies[0].rstrip().endswith("?")
        reply = case.then or (_YES[case.language] if asked and self._confirms(case) else "")
        differences: list[str] = []
        if case.then and not asked:
            differences.append("reply: no question came back")
        elif reply:
            early = judge(before, await self.look(), {})
            differences += [f"{one} (before the answer)" for one in early]
            replies.append(await self.ask(reply, area=case.area, language=case.language))
        differences += await self._settled(before, case)
        if case.says and not re.search(case.says, replies[-1], re.IGNORECASE):
            differences.append(f"reply: expected /{case.says}/")
        return Result(
            case=case, replies=replies, differences=differences, milliseconds=took,
            by_model=by_model, asked=asked, heard="" if text == case.text else text,
        )  # fmt: skip

    def _confirms(self, case: Case) -> bool:
        """Whether a question is answered with yes: something was to be done."""
        return bool(case.expected) and not case.then

    async def _settled(self, before: Held, case: Case) -> list[str]:
        """Return the differences, once slow devices have had their time."""
        late = time.monotonic() + _SETTLE_SECONDS
        while True:
            held = await self.look()
            differences = judge(before, held, case.expected, case.ignored)
            moving = any(_on_the_way(one.get("state")) for one in held.values())
            if not moving or time.monotonic() > late:
                return differences
            await asyncio.sleep(0.2)

    async def _by_model(self) -> bool:
        """Whether the model wrote something since the last call."""
        if self._options.agent == "own":
            return False
        async with self._client.session.get(f"{_METRICS}/trace", params=self._seen) as response:
            report = await response.json()
        self._seen = {"source": report["source"], "since": str(report["since"])}
        stages = [stage for one in report["records"] for stage in one["stages"]]
        return any(stage.get("by") == "model" or stage.get("tokens") for stage in stages)

    async def _action(self, name: str, **data: Any) -> Any:
        answer = await self._client.call(
            "call_service", domain="made_home", service=name, service_data=data,
            return_response=True,
        )  # fmt: skip
        return answer["response"]


@asynccontextmanager
async def open_rig(options: RigOptions, directory: Path) -> AsyncIterator[Rig]:
    """Start Home Assistant with the simulated devices, and end everything afterwards."""
    with ExitStack() as stack:
        hass = HomeAssistant(
            options.home_assistant / "root", directory, CONFIGURATION, ["127.0.0.1"]
        )
        _install_devices(directory / "config" / "custom_components" / "made_home")
        stack.callback(hass.stop)
        hass.start()
        token = await hass.token()
        rig = Rig(options, directory, token)
        stack.callback(rig.stop)
        try:
            async with connect(token) as client:
                await rig.move_in(client, token)
                yield rig
        except Exception:
            print(hass.tail(), file=sys.stderr)
            raise


def _install_devices(folder: Path) -> None:
    """Write the integration, and the small files that Home Assistant looks for in it."""
    shutil.copytree(_DEVICES, folder, ignore=shutil.ignore_patterns("__pycache__"))
    manifest = {
        "domain": "made_home", "name": "Made home", "version": "1.0.0", "config_flow": True,
        "dependencies": ["intent"], "documentation": "", "codeowners": [],
        "iot_class": "calculated", "requirements": [],
    }  # fmt: skip
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    (folder / "config_flow.py").write_text("from . import MadeHomeFlow\n", encoding="utf-8")
    text = (_DEVICES / "entities.py").read_text(encoding="utf-8")
    domains = re.findall(r'^    "(\w+)": Made\w+,$', text, re.MULTILINE)
    for domain in domains:
        text = f'from . import platform_of\n\nasync_setup_entry = platform_of("{domain}")\n'
        (folder / f"{domain}.py").write_text(text, encoding="utf-8")


def chosen(found: Set, arguments: argparse.Namespace) -> list[Case]:
    """Return the cases of a set that the arguments choose."""
    cases = [
        case
        for case in found.cases
        if (not arguments.home or {case.home, case.home.partition(".")[0]} & {*arguments.home})
        and (not arguments.language or case.language in arguments.language)
        and (not arguments.kind or case.kind in arguments.kind)
    ]
    if arguments.limit and len(cases) > arguments.limit:
        cases = random.Random(arguments.seed).sample(cases, arguments.limit)  # noqa: S311
    return sorted(cases, key=lambda case: case.home)


async def run(arguments: argparse.Namespace) -> dict[str, list[Result]]:
    """Say every chosen sentence and return the results by set."""
    results: dict[str, list[Result]] = defaultdict(list)
    with tempfile.TemporaryDirectory(prefix="parley-home-") as folder:
        options = RigOptions(
            home_assistant=arguments.home_assistant,
            agent=arguments.agent,
            model=arguments.model,
            allow_risky=arguments.allow_risky,
            flags=arguments.flags,
            speech=arguments.speech,
            stt_model=arguments.stt_model,
        )
        async with open_rig(options, Path(folder)) as rig:
            for name in arguments.set:
                found = read_set(name, arguments.data)
                home = ""
                for case in chosen(found, arguments):
                    if case.home != home:
                        home = case.home
                        await rig.build(found.homes[home])
                        print(f"... {name} {home}", file=sys.stderr, flush=True)
                    results[name].append(await rig.say(case))
    return results


def report(name: str, results: Sequence[Result]) -> str:
    """Return the figures of one set in Markdown, and its failures."""
    lines = [f"## {name}: {_share(results)} of {len(results)} sentences", ""]
    grouped: tuple[tuple[str, Callable[[Result], str]], ...] = (
        ("kind", lambda one: one.case.kind),
        ("home", lambda one: one.case.home),
        ("language", lambda one: one.case.language),
        ("by", lambda one: "model" if one.by_model else "rules"),
    )
    for what, of in grouped:
        groups = defaultdict(list)
        for one in results:
            groups[of(one)].append(one)
        if len(groups) > 1 or what == "by":
            lines += [f"| {what} | right | of | p50 ms | p95 ms |", "|---|---|---|---|---|"]
            lines += [
                f"| {key} | {_share(group)} | {len(group)} | {_times(group)} |"
                for key, group in sorted(groups.items())
            ]
            lines.append("")
    wrong = [one for one in results if one.wrong_action]
    claims = [one for one in results if one.false_claim]
    asked = sum(one.asked for one in results)
    share = f"{len(wrong) / max(1, len(results)):.2%}"
    lines += [f"Wrong actions: {len(wrong)} ({share}). Questions back: {asked}.", ""]
    lines += [f"Claims of what did not happen: {len(claims)}.", ""]
    for one in results:
        if not one.right or one.false_claim:
            marks = "".join(
                mark for mark, is_so in (("W", one.wrong_action), ("C", one.false_claim)) if is_so
            )
            by = "model" if one.by_model else "rules"
            lines.append(
                f"- {marks or '-'} [{one.case.home} {one.case.kind} {by}] {one.case.text!r} "
                f"{f'heard {one.heard!r} ' if one.heard else ''}-> "
                f"{' / '.join(one.replies)!r}; {'; '.join(one.differences)}"
            )
    return "\n".join([*lines, ""])


def _share(results: Sequence[Result]) -> str:
    return f"{sum(one.right for one in results) / max(1, len(results)):.1%}"


def _times(results: Sequence[Result]) -> str:
    times = sorted(one.milliseconds for one in results)
    return f"{statistics.median(times):.0f} | {times[math.ceil(0.95 * len(times)) - 1]:.0f}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").partition("\n")[0],
        epilog="What follows -- is handed to wyoming-llm.",
    )
    sets = ("intents", "devices", "own", "nonsense")
    parser.add_argument("--set", nargs="+", choices=sets, default=["intents"])
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the sets")
    parser.add_argument("--home", nargs="+", help="these homes alone")
    parser.add_argument("--kind", nargs="+", help="these kinds (names of files) alone")
    parser.add_argument("--language", nargs="+", help="these languages alone")
    parser.add_argument("--limit", type=int, default=0, help="number of sentences of each set")
    parser.add_argument("--seed", type=int, default=1, help="which ones they are")
    parser.add_argument(
        "--agent",
        choices=("parley", "assist", "own"),
        default="parley",
        help="assist: Home Assistant's llama.cpp integration; own: its own agent",
    )
    parser.add_argument("--model", default="", help="the model of wyoming-llm")
    parser.add_argument("--speech", default="", metavar="VOICE", help="say them with this voice")
    parser.add_argument("--stt-model", default="base", help="the model of wyoming-stt")
    parser.add_argument("--allow-risky", action="store_true", help="locks need no question")
    parser.add_argument("--home-assistant", type=Path, default=INSTALLED)
    own, flags = _split(sys.argv[1:])
    arguments = parser.parse_args(own)
    arguments.flags = flags
    if not os.environ.get(_INSIDE):
        _enter_namespaces()
    os.system("ip link set lo up")  # noqa: S605, S607 - of our own network namespace
    for name, results in asyncio.run(run(arguments)).items():
        print(report(name, results), flush=True)


def _split(arguments: list[str]) -> tuple[list[str], list[str]]:
    at = arguments.index("--") if "--" in arguments else len(arguments)
    return arguments[:at], arguments[at + 1 :]


def _enter_namespaces() -> None:
    """Run this program again where everything that it starts ends with it."""
    os.environ[_INSIDE] = "1"
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    command = (
        "setpriv --pdeathsig KILL unshare --net --mount --pid --fork --kill-child --mount-proc "
        "--propagation private"
    )
    argv = [*command.split(), sys.executable, "-m", "bench.home_control", *sys.argv[1:]]
    os.execvp(argv[0], argv)  # noqa: S606


if __name__ == "__main__":
    main()
