"""LaTeX formulas, as language models write them, made plain: "\\frac{1}{2}" becomes "1/2".

Only what a reply to a person in a home holds: sums, fractions, powers, roots and signs.
"""

import re

_DISPLAYED = re.compile(r"\\[\[(]\s*(.{1,300}?)\s*\\[\])]|\$\$\s*([^$]{1,300}?)\s*\$\$", re.DOTALL)
_INLINE = re.compile(r"(?<![\w$\\])\$(?=[^\s$])([^$\n]{1,200}?)(?<=\S)\$(?![\w$])")
_IS_FORMULA = re.compile(r"[\\^_=*+×÷]|^\w$")  # noqa: RUF001 - a times sign
"""Signs of a formula between dollars, which two prices do not have"""
_FRACTION = re.compile(r"\\[dt]?frac\s*\{([^{}]{1,60})\}\s*\{([^{}]{1,60})\}")
_ROOT = re.compile(r"\\sqrt\s*\{([^{}]{1,60})\}")
_WRAPPED = re.compile(r"\\(?:text|mathrm|mathbf|textbf|boxed|operatorname)\s*\{([^{}]{0,200})\}")
_POWER = re.compile(r"\^\{([^{}]{1,20})\}")
_INDEX = re.compile(r"_\{([^{}]{1,20})\}|(?<=[A-Za-z])_(?=\d)")
_COMMAND = re.compile(r"\\([A-Za-z]{2,12})(?![A-Za-z])[ ]?")
_SIGNS = {
    "times": "×", "cdot": "×", "div": "÷", "pm": "±", "approx": "≈", "leq": "≤", "le": "≤",  # noqa: RUF001
    "geq": "≥", "ge": "≥", "neq": "≠", "ne": "≠", "pi": "π", "infty": "∞", "degree": "°",
    "circ": "°", "rightarrow": "→", "to": "→", "left": "", "right": "", "quad": " ", "ldots": "...",
    "dots": "...",
}  # fmt: skip
_SPACED = frozenset("×÷±≈≤≥≠→")  # noqa: RUF001 - a times sign
_GAP = re.compile(r"\\[,;:! ]")


def without_latex(text: str) -> str:
    """Return `text` with its formulas in plain signs; a text without any stays as it is."""
    if "\\" not in text and text.count("$") < 2:
        return text
    text = _DISPLAYED.sub(lambda match: match[1] or match[2], text)
    text = _INLINE.sub(lambda match: match[1] if _IS_FORMULA.search(match[1]) else match[0], text)
    if "\\" not in text:
        return text
    for _ in range(3):  # one in the other
        text = _WRAPPED.sub(r"\1", text)
        text = _POWER.sub(r"^\1", text)
        text = _FRACTION.sub(lambda match: f"{_part(match[1])}/{_part(match[2])}", text)
        text = _ROOT.sub(lambda match: f"√{_part(match[1])}", text)
    text = _INDEX.sub(lambda match: match[1] or "", text)
    text = _COMMAND.sub(_sign, _GAP.sub(" ", text))
    text = re.sub(r"(?<=\S) {2,}", " ", text)
    return text.replace("^°", "°").replace("\\%", "%").replace("\\\\", " ")


def _part(text: str) -> str:
    """Return a part of a fraction, in brackets where it is a sum."""
    return text if re.fullmatch(r"\s*[\w.,]+\s*", text) else f"({text.strip()})"


def _sign(match: re.Match[str]) -> str:
    sign = _SIGNS.get(match[1])
    if sign is None:
        return match[0]
    return f" {sign} " if sign in _SPACED else sign
