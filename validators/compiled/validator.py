"""The compiled form of an operational template: the same findings as the interpreter's, sooner.

Valid data, and that is nearly all, are recognised by compiled tests; where these cannot say yes, the
interpreter judges the whole composition. So it alone makes errors, and the tests may doubt, never err.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from archetypes.findings import Finding
from templates.operational import OperationalTemplate
from validators.compiled.objects import object_test
from validators.compiled.units import Template, Unit
from validators.compiled.warnings import Unsure, Warned
from validators.composition.report import MAX_FINDINGS
from validators.composition.rules import RULES
from validators.composition.validate import validate_composition

_MOST_TEMPLATES = 256


class Validator:
    """Judges compositions by one template; safe to share between threads."""

    def __init__(self, opt: OperationalTemplate) -> None:
        self._opt = opt
        self._tests = {complete: _root_unit(opt, complete).test for complete in (True, False)}

    def __call__(self, composition: Any, complete: bool = True, limit: int = MAX_FINDINGS) -> list[Finding]:
        """What ``validate_composition`` finds, in the same order."""
        findings = self.recognise(composition, complete)
        if findings is None or len(findings) >= limit:
            return validate_composition(self._opt, composition, complete=complete, limit=limit)
        return findings

    def recognise(self, composition: Any, complete: bool = True) -> list[Finding] | None:
        """The warnings of a composition without errors; None if only the interpreter can tell."""
        warned: Warned = []
        try:
            details = composition["archetype_details"]
            if (
                details["template_id"]["value"] != self._opt.template_id
                or composition["archetype_node_id"] != self._opt.definition.archetype_id
                or not self._tests[complete](composition, (None, warned))
            ):
                return None
        except (Unsure, AttributeError, KeyError, TypeError, ValueError, OverflowError, RecursionError):
            return None  # a member of another kind than its place has
        return [finding for _, finding in sorted(warned, key=lambda entry: entry[0])]


def _root_unit(opt: OperationalTemplate, complete: bool) -> Unit:
    template = Template(RULES, opt.language, complete, object_test)
    declared = opt.definition.rm_type_name
    return Unit(template, declared, declared, candidates=(opt.definition,))


def compile_validator(opt: OperationalTemplate) -> Validator:
    """The validator of a template, made once; it learns from what it sees."""
    return _of_content(_Content(opt)) if opt.content_hash else Validator(opt)


class _Content:
    """A template as a key: its content hash, and the very definition that the hash was made of.

    The definition is compared too, by identity, because a copy that was changed may carry the old hash.
    """

    __slots__ = ("key", "opt")

    def __init__(self, opt: OperationalTemplate) -> None:
        self.opt = opt  # held, so that the identity of its definition stays its own
        self.key = (opt.content_hash, opt.template_id, opt.language, id(opt.definition))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Content) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)


@lru_cache(maxsize=_MOST_TEMPLATES)
def _of_content(content: _Content) -> Validator:
    return Validator(content.opt)
