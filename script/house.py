"""Checks of the house rules in CONTRIBUTING.md: docstrings, names, folders.

    python script/house.py [--short] [PATH...]     findings below these paths; default: all

Exits with 1 where there are findings. Very long files, and with --short very
short ones, are noted without being findings.
"""

import ast
import io
import re
import sys
import tokenize
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
SERVICES: Final = ("wyoming_stt", "wyoming_llm", "wyoming_tts")
PACKAGES: Final = ("wyoming_common", *SERVICES, "satellite", "parley")
CODE: Final = (*PACKAGES, "bench", "tests", "script")
SERVICE_ROOT: Final = frozenset(
    {"__init__", "__main__", "config", "service", "handler", "info", "engine", "cli"}
)
MAX_LOOSE_MODULES: Final = 8
MAX_FILE_LINES: Final = 800
MIN_FILE_LINES: Final = 60

QUESTION: Final = re.compile(r"(What|How|Which|Who|Whose|Whom|When|Where|Why)\b")
QUESTION_COMMENT: Final = re.compile(r"# (What|How|Which|Who|Whose|Why)\b")
"""A comment may begin with a clause ("When the queue is full, ..."), a docstring may not."""
QUESTION_TEST: Final = re.compile(r"test_(what|how|which|who|whose|whoever|why)_")
PHRASES: Final = re.compile(
    r"\b(?:(?:[Ii]s|[Aa]re|was|were) none\b(?! of)"
    r"|(?i:whoever|whatever|somebody|nobody|those that|of which there is|anew|for ever)\b"
    r"|so (?:many|much|long)\b(?! (?:as|that)\b))"
)
MESSAGE_PHRASES: Final = re.compile(r"\b(?:(?:is|are) none\b(?! of)|whoever\b)")
"""In string literals and documents, some of the words are ordinary: the tables of a language."""
BOUND: Final = re.compile(
    r"_?(?:SECONDS|MS|BYTES|MAX|MIN|LIMIT|KEPT|LONGEST|SHORTEST)|(?:.*_)?(?:MOST|LEAST)(?:_.*)?"
)
VAGUE: Final = frozenset(
    {"door", "doors", "lines", "kept", "heard", "ears", "told", "beginnings", "pace", "house"}
)
"""Words used in the past as types and modules; docs/glossary.md has the field's terms."""
SAME_THING: Final = {
    "OpenAiEngine": "the client of an OpenAI-compatible server, one for each kind of engine",
}
"""Public classes that several packages may have under one name, each with the reason."""


@dataclass(frozen=True, order=True, slots=True)
class Finding:
    """One place that breaks a rule."""

    path: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.text}"


def check_source(path: str, source: str) -> Iterator[Finding]:
    """Yield the findings in one Python file; `path` is relative to the repository."""
    tree = ast.parse(source)
    package = path.partition("/")[0]
    stem = Path(path).stem
    if package in PACKAGES or package == "bench":
        if ast.get_docstring(tree) is None and source.strip():
            yield Finding(path, 1, "no module docstring")
        if set(stem.split("_")) & VAGUE:
            yield Finding(path, 1, f"module name {stem}: use the field's term")
    docstrings = set()
    for node in _docstring_nodes(tree):
        docstrings.add(node)
        yield from _check_prose(path, node.lineno, str(node.value), QUESTION)
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield from _check_prose(path, token.start[0], token.string, QUESTION_COMMENT)
    for any_node in ast.walk(tree):
        yield from _check_node(path, any_node, docstrings)


def _check_prose(path: str, line: int, text: str, opening: re.Pattern[str]) -> Iterator[Finding]:
    if opening.match(text):
        first = " ".join(text.split()[:8])
        yield Finding(path, line, f'opens like a question: "{first} ..."')
    for match in PHRASES.finditer(" ".join(text.split())):
        yield Finding(path, line, f'banned phrase: "{match[0]}"')


def _check_node(path: str, node: ast.AST, docstrings: set[ast.Constant]) -> Iterator[Finding]:
    if isinstance(node, ast.Constant) and node not in docstrings:
        for match in MESSAGE_PHRASES.finditer(str(node.value)):
            yield Finding(path, node.lineno, f'banned phrase in a text: "{match[0]}"')
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        if QUESTION_TEST.match(node.name):
            yield Finding(path, node.lineno, f"{node.name}: a test's name states a claim")
    elif isinstance(node, ast.ClassDef):
        words = {word.lower() for word in re.findall(r"[A-Z][a-z]*", node.name)}
        if words & VAGUE and not path.startswith("tests/"):
            yield Finding(path, node.lineno, f"class name {node.name}: use the field's term")
    elif isinstance(node, ast.Name) and _is_vague_bound(node):
        yield Finding(path, node.lineno, f"{node.id}: name a bound MAX_ or MIN_, with its unit")


def _is_vague_bound(node: ast.Name) -> bool:
    return isinstance(node.ctx, ast.Store) and BOUND.fullmatch(node.id) is not None


def _docstring_nodes(tree: ast.Module) -> Iterator[ast.Constant]:
    """Yield docstrings of modules, classes and functions, and those under attributes."""
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        for statement in body or ():
            if (
                isinstance(statement, ast.Expr)
                and isinstance(statement.value, ast.Constant)
                and isinstance(statement.value.value, str)
            ):
                yield statement.value


def check_folders(root: Path) -> Iterator[Finding]:
    """Yield the findings about the packages' folders."""
    common = root / "wyoming_common"
    loose = _modules(common) - {"__init__"}
    if len(loose) > MAX_LOOSE_MODULES:
        names = ", ".join(sorted(loose))
        yield Finding(
            "wyoming_common", 1, f"{len(loose)} loose modules, at most {MAX_LOOSE_MODULES}: {names}"
        )
    for service in SERVICES:
        has = _modules(root / service)
        for name in sorted(SERVICE_ROOT - has):
            yield Finding(service, 1, f"{name}.py is missing at the root")
        for name in sorted(has - SERVICE_ROOT):
            yield Finding(service, 1, f"{name}.py at the root: move it to a folder of its topic")
        yield from _check_engines(root, service)


def _check_engines(root: Path, service: str) -> Iterator[Finding]:
    folder = root / service / "engines"
    registered = set()
    tree = ast.parse((folder / "__init__.py").read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            match = re.match(rf"{service}\.engines\.(\w+)", node.value)
            if match:
                registered.add(match[1])
    there = _modules(folder) | {
        path.name for path in folder.iterdir() if (path / "__init__.py").exists()
    }
    for name in sorted(there - registered - {"__init__"}):
        yield Finding(f"{service}/engines", 1, f"{name} is not a registered engine")


def check_class_names(sources: Iterable[tuple[str, str]]) -> Iterator[Finding]:
    """Yield public classes of the packages that share a name with another one."""
    places = defaultdict(list)
    for path, source in sources:
        if path.partition("/")[0] in PACKAGES:
            for node in ast.parse(source).body:
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    places[node.name].append((path, node.lineno))
    for name, found in places.items():
        if len(found) > 1 and name not in SAME_THING:
            for path, line in found:
                others = ", ".join(other for other, _ in found if other != path)
                yield Finding(path, line, f"class {name} is also in {others or path}")


def check_documents(root: Path) -> Iterator[Finding]:
    """Yield banned phrases in the guides and in what Home Assistant shows of the apps."""
    files = [*root.glob("*.md"), *root.glob("docs/**/*.md"), *root.glob("addons/**/*.md")]
    for path in [*files, *root.glob("addons/**/*.yaml")]:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            for match in MESSAGE_PHRASES.finditer(line):
                relative = str(path.relative_to(root))
                yield Finding(relative, number, f'banned phrase: "{match[0]}"')


def notes(sources: Iterable[tuple[str, str]], *, short: bool) -> Iterator[Finding]:
    """Yield files of a length that is worth a second look."""
    for path, source in sources:
        count = source.count("\n")
        if count > MAX_FILE_LINES:
            yield Finding(path, count, f"{count} lines: does it hold one topic?")
        elif (
            short
            and path.partition("/")[0] in PACKAGES
            and count < MIN_FILE_LINES
            and not Path(path).stem.startswith("__")
        ):
            yield Finding(path, count, f"{count} lines: is it part of a topic next to it?")


def read_sources(root: Path) -> list[tuple[str, str]]:
    """Return every Python file of the repository, by its relative path."""
    return [
        (str(path.relative_to(root)), path.read_text(encoding="utf-8"))
        for folder in CODE
        for path in sorted((root / folder).rglob("*.py"))
        if path.name not in ("house.py", "test_house.py")  # the words themselves
    ]


def check_all(root: Path) -> list[Finding]:
    """Return all findings, sorted by place."""
    sources = read_sources(root)
    return sorted(
        {
            *(finding for path, source in sources for finding in check_source(path, source)),
            *check_folders(root),
            *check_class_names(sources),
            *check_documents(root),
        }
    )


def _modules(folder: Path) -> set[str]:
    return {path.stem for path in folder.glob("*.py")}


def main(arguments: list[str]) -> int:
    """Print the findings below the paths in `arguments`, and the number in each package."""
    short = "--short" in arguments
    below = tuple(path.rstrip("/") for path in arguments if path != "--short")

    def wanted(finding: Finding) -> bool:
        return not below or any(
            finding.path == one or finding.path.startswith(f"{one}/") for one in below
        )

    findings = [finding for finding in check_all(ROOT) if wanted(finding)]
    for finding in findings:
        print(finding)
    for note in filter(wanted, notes(read_sources(ROOT), short=short)):
        print(f"note: {note}")
    counts: dict[str, int] = defaultdict(int)
    for finding in findings:
        counts[finding.path.partition("/")[0]] += 1
    for folder, count in sorted(counts.items()):
        print(f"{count:5} findings in {folder}", file=sys.stderr)
    return int(bool(findings))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
