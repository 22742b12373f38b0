"""The text of a function in the making, with the values that it names."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from validators.compiled.warnings import Unsure

Test = Callable[[Any, Any], Any]


class Source:
    """Conditions on the members of one object, and the constants and callables that they use.

    Nothing of a template or of data ever becomes program text: texts, numbers and sets are passed as named
    constants; only attribute names of the reference model and our own names are written out.
    """

    def __init__(self) -> None:
        self._values: dict[str, Any] = {}
        self._names: dict[int, str] = {}
        self._variables = 0

    def constant(self, value: Any) -> str:
        """A name that stands for the value."""
        name = self._names.get(id(value))
        if name is None:
            name = f"k{len(self._values)}"
            self._names[id(value)] = name
            self._values[name] = value
        return name

    def variable(self) -> str:
        """A new local name."""
        self._variables += 1
        return f"x{self._variables}"

    def holds(self, condition: str, variables: Mapping[str, Any]) -> bool:
        """Whether a condition that we have written is true of these values."""
        try:
            return bool(eval(condition, dict(self._values), dict(variables)))
        except (Unsure, AttributeError, KeyError, TypeError, ValueError):
            return False

    def function(
        self, variables: Mapping[str, str], stated: str | None, conditions: Sequence[str], learn: Test
    ) -> Test:
        """A test of an object with exactly the members of ``variables``: true if all conditions are.

        An object with other members, or with another class than ``stated``, is left to ``learn``.
        """
        otherwise = f"return {self.constant(learn)}(v, p)"
        lines = ["def test(v, p):", f" if len(v) != {len(variables)}: {otherwise}"]
        if variables:
            reads = (f"{variable} = v[{name!r}]" for name, variable in variables.items())
            lines += [" try:", *(f"  {read}" for read in reads), f" except KeyError: {otherwise}"]
        if stated is not None:
            lines.append(f" if {variables['_type']} != {self.constant(stated)}: {otherwise}")
        lines.append(f" return {' and '.join(conditions) or 'True'}")
        namespace = dict(self._values)
        # Compiled text is three times as fast as a chain of closures: members become local variables.
        exec(compile("\n".join(lines), "<compiled constraint>", "exec"), namespace)
        test: Test = namespace["test"]
        return test
