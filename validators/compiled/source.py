"""The text of a function in the making, with the values that it names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

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

    def function(self, variables: Sequence[str], conditions: Sequence[str], mismatch: str | None) -> Test:
        """A test of an object whose members stand in ``variables``: true if all conditions are."""
        lines = ["def test(v, p):", f" {''.join(f'{name}, ' for name in variables)} = v.values()"]
        if mismatch is not None:
            lines.append(f" {mismatch}")
        lines.append(f" return {' and '.join(conditions) or 'True'}")
        namespace = dict(self._values)
        # Compiled text is three times as fast as a chain of closures: members become local variables.
        exec(compile("\n".join(lines), "<compiled constraint>", "exec"), namespace)
        test: Test = namespace["test"]
        return test
