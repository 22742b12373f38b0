"""Places of the data, and the tests that they have learned: one for each shape of object met there.

The shape of an object is the tuple of its attribute names. When a shape is first met at a place, a test is
compiled that knows which attributes are there, which are mandatory, and what the template says of each; it
need not look for what else there might be. A test that is true means: the interpreter would find no error.
The test of the first shape is the one tried first from then on (``usual``); it knows its shape, and leaves
other objects to ``learn``, which knows all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from archetypes.aom.constraints import (
    CArchetypeRoot,
    CCodeReference,
    CComplexObject,
    CDvQuantity,
    CObject,
    ConstraintRef,
)
from archetypes.rm.schema import base_name, rm_schema
from validators.compiled.leaves import NOWHERE, REFUSING
from validators.compiled.source import Test
from validators.compiled.warnings import NotCompiled, PathStep, Refused, Unsure, last_step, warned_of
from validators.composition.check import Check, Rule
from validators.composition.data import type_of
from validators.composition.matching import fits_node_id
from validators.composition.place import Place
from validators.composition.reference_model import check_reference_model, checked_type
from validators.composition.report import Report

Shape = tuple[str, ...]
MOST_SHAPES = 40  # at one place; more are left to the interpreter
MOST_TESTS = 20_000  # of one template
DEEPEST = 90  # below the interpreter's limit: the rest is for it to judge
_BY_INTERPRETER = frozenset({"DV_INTERVAL", "REFERENCE_RANGE"})  # their argument depends on their bounds


@dataclass
class Template:
    """What all places of one compiled template share."""

    rules: Mapping[type[CObject], Rule]
    language: str
    complete: bool
    compile_object: Callable[[Unit, dict[str, Any], Fit], Test]
    tests_left: int = MOST_TESTS
    free: dict[str, Unit] = field(default_factory=dict)  # places without constraint, by declared type
    warning: dict[int, bool] = field(default_factory=dict)  # by identity of constraints, for can_warn

    def free_unit(self, declared: str) -> Unit:
        """The place of a type that the template says nothing of."""
        if declared not in self.free:
            self.free[declared] = Unit(self, declared, declared)
        return self.free[declared]

    def can_warn(self, constraint: CObject) -> bool:
        """True if data that are valid here may need a warning, so that indexes must be kept."""
        known = self.warning.get(id(constraint))
        if known is None:
            known = isinstance(constraint, CCodeReference | ConstraintRef) or (
                isinstance(constraint, CDvQuantity) and not constraint.items
            )
            if isinstance(constraint, CComplexObject):
                known = any([self.can_warn(child) for _, child in constraint.children()])
            self.warning[id(constraint)] = known
        return known


@dataclass(frozen=True)
class Fit:
    """An object's type as the reference model and as the template see it, and the constraint on it."""

    rm_type: str
    seen_type: str
    constraint: CObject | None


class Unit:
    """A place: what may stand there by the reference model (``declared``) and by the template."""

    def __init__(
        self,
        template: Template,
        declared: str,
        seen: str,
        *,
        candidates: tuple[CObject, ...] = (),
        root: CArchetypeRoot | None = None,
        steps: tuple[PathStep, ...] = (),
    ) -> None:
        self.template = template
        self.declared = declared
        self.seen = seen  # the declared type by which the interpreter judges the template's part
        self.candidates = candidates
        self.root = root
        self.steps = steps
        self.usual: list[Test] = [self.learn]  # of one member, which callers keep hold of
        self._tests: dict[tuple[Any, Shape], Test] = {}
        self._refused: set[tuple[Any, Shape]] = set()

    @property
    def is_free(self) -> bool:
        """True where only the reference model rules; tests then get the depth instead of a chain."""
        return not self.candidates

    def test(self, value: Any, p: Any) -> Any:
        """True if the value is right here, false if it has an error for certain. Raises Unsure."""
        return self.usual[0](value, p)

    def learn(self, value: Any, p: Any) -> Any:
        """The same for an object whose shape is new here, or not usual for its type."""
        if type(value) is not dict:
            return False
        key = (value.get("_type"), tuple(value))
        test = self._tests.get(key)
        if test is None:
            if key in self._refused:
                return False
            try:
                test = self._made(value)
            except Refused:
                if len(self._refused) < MOST_SHAPES:
                    self._refused.add(key)
                return False
            self._tests[key] = test
        return test(value, p)

    def _made(self, value: dict[str, Any]) -> Test:
        if len(self._tests) >= MOST_SHAPES or self.template.tests_left <= 0:
            raise Unsure
        self.template.tests_left -= 1
        fits = self.fits(value)
        if base_name(fits[0].rm_type) in _BY_INTERPRETER:
            return self.interpreted(fits)
        try:
            if len(fits) > 1:
                test = self._alternatives(value, fits)
            else:
                test = self.template.compile_object(self, value, fits[0])
        except NotCompiled:
            return self.interpreted(fits)
        if len(self._tests) == 0:
            self.usual[0] = test
        return test

    def fits(self, value: dict[str, Any]) -> list[Fit]:
        """The object's types and each constraint that is on such a type. Raises Unsure if there is none."""
        rm_type = checked_type(value, self.declared, NOWHERE, REFUSING)
        seen_type = type_of(value, self.seen)
        if rm_type is None or seen_type is None or not rm_schema().is_a(seen_type, self.seen):
            raise Unsure
        if not self.candidates:
            return [Fit(rm_type, seen_type, None)]
        fitting = [c for c in self.candidates if rm_schema().is_a(seen_type, c.rm_type_name)]
        if not fitting:
            raise Unsure
        return [Fit(rm_type, seen_type, constraint) for constraint in fitting]

    def narrowed(self, constraint: CObject) -> Unit:
        """The same place with one of its alternatives only."""
        return Unit(
            self.template,
            self.declared,
            self.seen,
            candidates=(constraint,),
            root=self.root,
            steps=last_step(self.steps, constraint),
        )

    # --- what is not compiled further ---------------------------------------------------------------

    def interpreted(self, fits: list[Fit]) -> Test:
        """A test that asks the interpreter about this object only."""
        constraints = tuple(fit.constraint for fit in fits if fit.constraint is not None)

        def test(value: Any, p: Any) -> bool:
            if len(constraints) > 1:
                raise Unsure
            constraint = constraints[0] if constraints else None
            depth = p if self.is_free else len(self.steps)
            if self._report(value, constraint, depth).findings:
                raise Unsure
            return constraint is None or fits_node_id(constraint, value)

        return test

    def _report(self, value: Any, constraint: CObject | None, depth: int) -> Report:
        template = self.template
        check = Check(template.rules, template.language, template.complete)
        above = Place(None, "", None, self.root)
        above.depth = depth
        place = Place(above, "value", None, constraint, value)
        check_reference_model(value, self.declared, place, check.report)
        if constraint is not None and not check.report.findings:
            seen_type = type_of(value, self.seen)
            if seen_type is None or not rm_schema().is_a(seen_type, constraint.rm_type_name):
                raise Unsure
            check.value(constraint, value, place)
        return check.report

    def _alternatives(self, value: dict[str, Any], fits: list[Fit]) -> Test:
        """The first of several constraints without an error counts, as in the interpreter."""
        units = [
            (fit.constraint, self.narrowed(fit.constraint)) for fit in fits if fit.constraint is not None
        ]
        stated = value.get("_type")
        depth = len(self.steps)

        def test(value: Any, p: Any) -> bool:
            if value.get("_type") != stated:
                return bool(self.learn(value, p))
            warned = warned_of(p)
            before = len(warned)
            for constraint, unit in units:
                if not fits_node_id(constraint, value):
                    continue
                if does_fit(unit, constraint, value, p, depth):
                    return True
                del warned[before:]
            return False

        return test

    def has_errors(self, value: Any, constraint: CObject, depth: int) -> bool:
        """True if the interpreter finds an error."""
        return self._report(value, constraint, depth).errors > 0


def does_fit(unit: Unit, constraint: CObject, value: Any, p: Any, depth: int) -> bool:
    """Whether one of several constraints fits; only after an error for certain is the next one tried."""
    try:
        return bool(unit.test(value, p))
    except Unsure:
        if unit.has_errors(value, constraint, depth):
            return False
        raise


def root_of(unit: Unit, constraint: CObject | None) -> CArchetypeRoot | None:
    """The archetype whose terms hold for an object and what is below it."""
    return constraint if isinstance(constraint, CArchetypeRoot) else unit.root
