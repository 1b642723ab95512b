"""A comparison told: as a table for people, as JSON, and as the Markdown of a pull request."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from python.importing.comparing import Comparison
from python.importing.rule import Difference, Level
from python.importing.versions import verdict
from python.protocol.pointer import MISSING

__all__ = ["as_json", "as_markdown", "as_table", "sentence"]

_SECTIONS = {
    "Spec": ("spec", "config", "resource"),
    "Discovery": ("binding", "document"),
    "Capture": ("sample", "state"),
}
"""What the text of an import compares, and the areas of rules that belong to each."""

_SHOWN_CHARACTERS_MAX = 60  # enough to recognise a value, and short enough for a column


def as_json(comparison: Comparison) -> str:
    """Return `comparison` as an object in one line: versions, verdict, differences, and what is unknown."""
    judged = verdict(comparison)
    told = {
        "old": {"name": comparison.old.name, "version": comparison.old.version},
        "new": {"name": comparison.new.name, "version": comparison.new.version},
        "level": comparison.level.word if comparison.level else None,
        "enough": judged.enough,
        "verdict": judged.sentence,
        "differences": [_members(each) for each in comparison.differences],
        "unknown": comparison.unknown,
    }
    return msgspec.json.encode(told).decode()


def _members(difference: Difference) -> dict[str, object]:
    sides = {"old": difference.old, "new": difference.new}
    return {
        "level": difference.level.word,
        "rule": difference.rule,
        "part": difference.part,
        "pointer": difference.pointer,
        **{name: value for name, value in sides.items() if value is not MISSING},
        "whom": [whom.value for whom in difference.whom],
        "why": difference.why,
    }


def as_table(comparison: Comparison) -> str:
    """Return `comparison` for a person at a terminal: two lines a difference, the gravest first, then the verdict."""
    lines = [f"{comparison.old.name} → {comparison.new.name}", ""]
    wide = max((len(each.rule) for each in comparison.differences), default=0)
    for each in comparison.differences:
        lines.append(f"{each.level.word:5}  {each.rule:{wide}}  {_where(each)}: {_change(each)}")
        lines.append(f"{'':5}  {'':{wide}}  {each.why}, for {_whom(each)}")
    if comparison.differences:
        lines.append("")
    lines += [f"not compared: {sentence}" for sentence in comparison.unknown]
    lines.append(_summary(comparison))
    return "\n".join(lines)


def as_markdown(comparison: Comparison) -> str:
    """Return `comparison` as the text of a pull request has it: Spec, Discovery and Capture, and what breaks."""
    judged = verdict(comparison)
    mark = "✅" if judged.enough else "❌"
    lines = [
        f"## Changes from {_code(comparison.old.name)} to {_code(comparison.new.name)}",
        "",
        f"{mark} {_summary(comparison)}.",
    ]
    for title, areas in _SECTIONS.items():
        found = [each for each in comparison.differences if each.rule.partition("-")[0] in areas]
        lines += ["", f"### {title}", "", *(_table(found) if _is_known(comparison, title) else ["Not compared."])]
    if comparison.unknown:
        lines += ["", "### Not compared", "", *(f"- {sentence}" for sentence in comparison.unknown)]
    return "\n".join(lines)


def _is_known(comparison: Comparison, section: str) -> bool:
    """Whether both versions have what `section` compares."""
    old, new = comparison.old, comparison.new
    if section == "Spec":
        return old.spec is not None and new.spec is not None
    runs = [(old.runs[name], new.runs[name]) for name in old.runs if name in new.runs]
    parts = ("bindings",) if section == "Discovery" else ("documents", "state")
    return any(None not in (getattr(one, part), getattr(other, part)) for one, other in runs for part in parts)


def _table(differences: Sequence[Difference]) -> Iterator[str]:
    if not differences:
        yield "No difference."
        return
    yield "| level | where | change | for whom, and why | rule |"
    yield "| --- | --- | --- | --- | --- |"
    for each in differences:
        level = f"**{each.level.word}**" if each.level is Level.MAJOR else each.level.word
        where = f"{_escaped(each.part)} {_code(each.pointer)}" if each.pointer else _escaped(each.part)
        why = f"{_whom(each)}: {_escaped(each.why)}"
        yield f"| {level} | {where} | {_word(each)}{_values(each)} | {why} | {_code(each.rule)} |"


def sentence(difference: Difference) -> str:
    """Return `difference` in one line of Markdown: where, what it was and is, for whom, and why."""
    where = (
        f"{_escaped(difference.part)} {_code(difference.pointer)}" if difference.pointer else _escaped(difference.part)
    )
    return f"{where}: {_word(difference)}{_values(difference)} ({_whom(difference)}: {_escaped(difference.why)})."


def _values(difference: Difference) -> str:
    return " → ".join(_code(_shown(value)) for value in (difference.old, difference.new) if value is not MISSING)


def _where(difference: Difference) -> str:
    return f"{difference.part} {difference.pointer}".rstrip()


def _change(difference: Difference) -> str:
    values = (difference.old, difference.new)
    return _word(difference) + " → ".join(_shown(value) for value in values if value is not MISSING)


def _word(difference: Difference) -> str:
    if difference.old is MISSING:
        return "now "
    return "was " if difference.new is MISSING else ""


def _whom(difference: Difference) -> str:
    return ", ".join(whom.value for whom in difference.whom)


def _shown(value: object) -> str:
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    text = " ".join(text.split())
    return text if len(text) <= _SHOWN_CHARACTERS_MAX else text[: _SHOWN_CHARACTERS_MAX - 1] + "…"


def _summary(comparison: Comparison) -> str:
    counts = {level: sum(each.level is level for each in comparison.differences) for level in reversed(Level)}
    told = ", ".join(f"{count} {level.word}" for level, count in counts.items() if count)
    sentence = verdict(comparison).sentence
    return f"{told} change{'' if len(comparison.differences) == 1 else 's'}: {sentence}" if told else sentence


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _code(text: str) -> str:
    fence = "``" if "`" in text else "`"
    return f"{fence}{_escaped(text) or ' '}{fence}"
