"""A template told field by field: what people who connect a system to it want to read.

Made of the web template, so that labels, FLAT paths, codes and limits are those that clients use.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from templates.fields import FIELD, PROVISIONAL
from templates.operational import OperationalTemplate
from templates.web_template import to_web_template

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Part:
    """One thing to fill in for a field.

    ``suffix`` of the FLAT key ("" for the bare path); ``codes`` are value and label of a list; ``limits``
    such as ``>= 60, <= 260``; ``default`` is what a form shows.
    """

    suffix: str
    type: str
    limits: str = ""
    codes: tuple[tuple[str, str], ...] = ()
    is_open: bool = False
    default: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A field, or a heading (no parts); ``depth`` is how far it stands in; ``occurrences`` is ``0..1``.

    ``provisional`` names the national list that the codes stand in for, because it is not known here.
    """

    depth: int
    label: str
    description: str
    path: str
    rm_type: str
    occurrences: str
    card_fields: str = ""
    provisional: str = ""
    parts: tuple[Part, ...] = ()


def field_guide(opt: OperationalTemplate, language: str) -> list[Row]:
    """All rows of a template, in its order; texts in ``language`` where the template has them."""
    return list(_rows(to_web_template(opt)["tree"], "", 0, language))


def _rows(node: Json, above: str, depth: int, language: str) -> Iterator[Row]:
    if node.get("inContext"):
        return
    repeats = ":0" if node["max"] != 1 else ""
    path = f"{above}/{node['id']}{repeats}" if above else str(node["id"])
    upper = "*" if node["max"] == -1 else node["max"]
    yield Row(
        depth=depth,
        label=_text(node.get("localizedNames"), language) or str(node.get("name") or node["id"]),
        description=_text(node.get("localizedDescriptions"), language),
        path=path,
        rm_type=str(node["rmType"]),
        occurrences=f"{node['min']}..{upper}",
        card_fields=str(node.get("annotations", {}).get(FIELD, "")),
        provisional=str(node.get("annotations", {}).get(PROVISIONAL, "")),
        parts=tuple(_parts(node, language)),
    )
    for child in node.get("children", ()):
        yield from _rows(child, path, depth + 1, language)


def _parts(node: Json, language: str) -> Iterator[Part]:
    """A duration is written as one text, though forms ask for each of its fields."""
    parts = [_part(each, language) for each in node.get("inputs", ())]
    if node["rmType"] == "DV_DURATION":
        limits = "; ".join(f"{part.suffix} {part.limits}" for part in parts if part.limits != _ANY_NUMBER)
        yield Part(suffix="", type="DURATION", limits=limits)
    else:
        yield from parts


_ANY_NUMBER = ">= 0"


def _part(given: Json, language: str) -> Part:
    codes = tuple(
        (str(item["value"]), _text(item.get("localizedLabels"), language) or str(item.get("label", "")))
        for item in given.get("list", ())
    )
    return Part(
        suffix=str(given.get("suffix", "")),
        type=str(given["type"]),
        limits=_limits(given) or _limits_of_units(given),
        codes=codes,
        is_open=bool(given.get("listOpen")),
        default=str(given.get("defaultValue", "")),
    )


def _limits(given: Json) -> str:
    validation = given.get("validation", {})
    limits = validation.get("range", {})
    words = [str(validation["pattern"])] if "pattern" in validation else []
    words += [
        f"{limits[op]} {limits[end]}" for op, end in (("minOp", "min"), ("maxOp", "max")) if end in limits
    ]
    return ", ".join(words)


def _plain(limit: object) -> str:
    """A number without a point that says nothing."""
    return str(limit).removesuffix(".0")


def _limits_of_units(given: Json) -> str:
    """Each unit has limits of its own; those of an only one stand at the magnitude."""
    if len(given.get("list", ())) < 2:
        return ""
    told = ((item["value"], _limits(item)) for item in given.get("list", ()) if "validation" in item)
    return "; ".join(f"{unit}: {limits}" for unit, limits in told if limits)


def _text(texts: Json | None, language: str) -> str:
    """The text in the language, else in any; structure has none."""
    found = (texts or {}).get(language) or next(iter((texts or {}).values()), "")
    return "" if str(found).startswith("@") else str(found)
