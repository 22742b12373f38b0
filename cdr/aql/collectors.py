"""What becomes of the rows: stream, DISTINCT, ORDER BY with the best N kept, groups with aggregates.

A collector takes rows one by one and gives out those that are final. None holds more than
``Limits.rows`` rows, groups or distinct values.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal
from typing import Any, Protocol, TypeAlias

from cdr.aql.errors import AqlTooLarge
from cdr.aql.values import Zone, identity, is_number, order_key, scalar
from cdr.candidates import ZONE_SLACK
from cdr.errors import QueryTimeout

Row: TypeAlias = list[Any]
Cells: TypeAlias = list[Any]
Value: TypeAlias = Callable[[Row], Any]

_EXACT = Context(prec=80)
_CLOCK_EVERY = 1024
_CUT_EVERY = 16


@dataclass(slots=True)
class Limits:
    """How much an execution may hold and how long it may take.

    ``deadline`` is an instant of ``time.monotonic``; ``seconds`` is what the error message names.
    """

    rows: int = 1_000_000
    deadline: float | None = None
    seconds: float = 0.0
    _ticks: int = field(default=0, init=False)

    def check_rows(self, count: int, what: str) -> None:
        """Raises AqlTooLarge beyond ``rows``."""
        if count > self.rows:
            raise AqlTooLarge(what, self.rows)

    def tick(self) -> None:
        """Called for each combination looked at; raises QueryTimeout behind the deadline."""
        self._ticks += 1
        if self.deadline is None or self._ticks % _CLOCK_EVERY:
            return
        if time.monotonic() > self.deadline:
            raise QueryTimeout(self.seconds)


class Collector(Protocol):
    """Takes rows; ``add`` returns True when no further row can change the answer.

    The last member of a row is the id of the EHR that it is of; ``owners`` are the EHRs of the rows that
    were given out, for the audit. Of equal rows that DISTINCT makes one, all owners count, and of groups
    all members; aggregates over everything have none, unless they range over known EHRs only.
    """

    owners: set[str]

    def add(self, row: Row, times: int = 1) -> bool:
        """A row that FROM and WHERE let through, so many times (more than one: for aggregates only)."""

    def is_beaten(self, best: float | datetime) -> bool:
        """Can no row change the answer that comes of a record with this best value of the first sort key?"""

    def ready(self) -> list[Cells]:
        """Final rows not given out yet."""

    def finish(self) -> list[Cells]:
        """The rest."""


class Stream:
    """Rows in the order of arrival, perhaps without duplicates, from ``skip`` on, ``count`` at most."""

    def __init__(
        self, columns: Sequence[Value], *, distinct: bool, skip: int, count: int | None, limits: Limits
    ) -> None:
        self._columns = columns
        self._seen: set[Any] | None = set() if distinct else None
        self._skip = skip
        self._left = count
        self._limits = limits
        self._ready: list[Cells] = []
        self.owners: set[str] = set()

    def add(self, row: Row, times: int = 1) -> bool:
        """One row."""
        if self._left is not None and self._left <= 0:
            return True
        cells = [column(row) for column in self._columns]
        if self._seen is not None and not _is_new(cells, self._seen, self._limits):
            self.owners.add(row[-1])
            return False
        if self._skip:
            self._skip -= 1
            return False
        self._ready.append(cells)
        self.owners.add(row[-1])
        if self._left is None:
            return False
        self._left -= 1
        return self._left == 0

    def is_beaten(self, best: float | datetime) -> bool:
        """Any row will do."""
        return False

    def ready(self) -> list[Cells]:
        """Final rows."""
        ready, self._ready = self._ready, []
        return ready

    def finish(self) -> list[Cells]:
        """Final rows."""
        return self.ready()


class Sorted:
    """Rows in order; where so many rows are wanted only, the best are kept; or the ``last`` of all."""

    def __init__(
        self,
        columns: Sequence[Value],
        keys: Sequence[tuple[Value, bool]],
        *,
        distinct: bool,
        skip: int,
        count: int | None,
        last: int | None = None,
        limits: Limits,
        zone: Zone,
    ) -> None:
        self._columns = columns
        self._keys = keys
        self._seen: set[Any] | None = set() if distinct else None
        self._skip = skip
        self._keep = None if count is None else skip + count
        self._last = last
        self._limits = limits
        self._zone = zone
        self._rows: list[tuple[SortKey, int, Cells, str]] = []
        self._arrived = 0
        self._asked = 0
        self.owners: set[str] = set()

    def add(self, row: Row, times: int = 1) -> bool:
        """One row."""
        if self._keep == 0:
            return True
        # Cells now, for the row of slots is used again for the next binding.
        cells = [column(row) for column in self._columns]
        if self._seen is not None and not _is_new(cells, self._seen, self._limits):
            self.owners.add(row[-1])
            return False
        key = sort_key([(value(row), descending) for value, descending in self._keys], self._zone)
        self._arrived += 1
        self._rows.append((key, self._arrived, cells, row[-1]))
        if self._keep is not None and len(self._rows) > 2 * self._keep + 1000:
            self._cut()
        self._limits.check_rows(len(self._rows), "rows to sort")
        return False

    def ready(self) -> list[Cells]:
        """Nothing is final before the last row."""
        return []

    def finish(self) -> list[Cells]:
        """All rows in order."""
        self._cut()
        given = self._rows[self._skip :]
        if self._last is not None:
            given = given[-self._last :]
        self.owners.update(owner for *_, owner in given)
        return [cells for _, _, cells, _ in given]

    def is_beaten(self, best: float | datetime) -> bool:
        """True once as many rows are held as are wanted, and the last of them is better."""
        self._asked += 1
        if self._keep is None or len(self._rows) < self._keep:
            return False
        if self._asked % (_CUT_EVERY + self._keep // 8):  # sorting costs more than reading a little further
            return False
        self._cut()
        worst, descending = self._rows[-1][0][0], self._keys[0][1]
        if worst[0]:  # the last one has no value
            return False
        if descending:
            return bool(_best_key(best, ZONE_SLACK) < worst[1].key)
        return bool(_best_key(best, -ZONE_SLACK) > worst[1])

    def _cut(self) -> None:
        self._rows.sort(key=lambda entry: entry[:2])
        if self._keep is not None:
            del self._rows[self._keep :]


class Grouped:
    """One row for each combination of the keys; one row in any case if there are none.

    The plain columns are the same for all rows of a group: they are taken from its first.
    """

    def __init__(
        self,
        keys: Sequence[Value],
        plain: Sequence[tuple[int, Value]],
        aggregates: Sequence[tuple[int, Callable[[], Aggregate], Value]],
        constants: Sequence[tuple[int, Value]],
        *,
        limits: Limits,
        rest: Collector,
        names_owners: bool = True,
    ) -> None:
        self._keys = keys
        self._names_owners = names_owners
        self._plain = plain
        self._aggregates = aggregates
        self._constants = constants
        self._limits = limits
        self._rest = rest
        self.owners: set[str] = set()
        self._groups: dict[Any, tuple[list[Any], list[Aggregate]]] = {}
        if not keys:
            self._groups[()] = ([], [make() for _, make, _ in aggregates])

    def add(self, row: Row, times: int = 1) -> bool:
        """One row, so many times."""
        if self._names_owners:
            self.owners.add(row[-1])
        key = tuple(identity(value(row)) for value in self._keys)
        group = self._groups.get(key)
        if group is None:
            cells = [value(row) for _, value in self._plain]
            group = (cells, [make() for _, make, _ in self._aggregates])
            self._groups[key] = group
            self._limits.check_rows(len(self._groups), "groups")
        for aggregate, (_, _, value) in zip(group[1], self._aggregates, strict=True):
            aggregate.add(value(row), times)
        return False

    def is_beaten(self, best: float | datetime) -> bool:
        """Every row counts."""
        return False

    def ready(self) -> list[Cells]:
        """Nothing is final before the last row."""
        return []

    def finish(self) -> list[Cells]:
        """The groups, ordered and cut by the collector behind."""
        for cells, aggregates in self._groups.values():
            if self._rest.add(self._row(cells, aggregates)):
                break
        return self._rest.finish()

    def _row(self, cells: list[Any], aggregates: list[Aggregate]) -> Row:
        row: Row = [None] * (len(self._plain) + len(self._aggregates) + len(self._constants) + 1)
        for (index, _), cell in zip(self._plain, cells, strict=True):
            row[index] = cell
        for (index, _, _), aggregate in zip(self._aggregates, aggregates, strict=True):
            row[index] = aggregate.result()
        for index, value in self._constants:
            row[index] = value([])
        return row


class Aggregate(Protocol):
    """Takes the values of a group one by one; None is ignored."""

    def add(self, value: Any, times: int = 1) -> None:
        """One value, so many times."""

    def result(self) -> Any:
        """The value of the column."""


class Count:
    """COUNT: how many values, or how many different ones."""

    def __init__(self, limits: Limits, *, distinct: bool) -> None:
        self._seen: set[Any] | None = set() if distinct else None
        self._limits = limits
        self._count = 0

    def add(self, value: Any, times: int = 1) -> None:
        """One value, so many times."""
        if value is None:
            return
        if self._seen is None:
            self._count += times
            return
        self._seen.add(identity(value))
        self._limits.check_rows(len(self._seen), "distinct values")

    def result(self) -> int:
        """The number."""
        return self._count if self._seen is None else len(self._seen)


class Extreme:
    """MIN or MAX by the order of ORDER BY; the first of equal values."""

    def __init__(self, zone: Zone, *, largest: bool) -> None:
        self._zone = zone
        self._largest = largest
        self._best: tuple[Any, Any] | None = None

    def add(self, value: Any, times: int = 1) -> None:
        """One value, so many times."""
        key = order_key(value, self._zone)
        if key is None:
            return
        if self._best is None or (key > self._best[0] if self._largest else key < self._best[0]):
            self._best = (key, value)

    def result(self) -> Any:
        """The value as it stands in the data."""
        return None if self._best is None else self._best[1]


class Sum:
    """SUM or AVG, added as decimals, so that the order of the rows does not matter."""

    def __init__(self, *, mean: bool) -> None:
        self._mean = mean
        self._total = Decimal(0)
        self._count = 0
        self._whole = True

    def add(self, value: Any, times: int = 1) -> None:
        """One value, so many times; what is no number is ignored."""
        number = scalar(value)
        if not is_number(number) or isinstance(value, dict):
            return
        self._count += times
        self._whole = self._whole and isinstance(number, int)
        exact = Decimal(repr(number))
        self._total = _EXACT.add(self._total, exact if times == 1 else _EXACT.multiply(exact, Decimal(times)))

    def result(self) -> int | float | None:
        """The number, None if there was none."""
        if not self._count:
            return None
        if self._mean:
            return float(_EXACT.divide(self._total, Decimal(self._count)))
        return int(self._total) if self._whole else float(self._total)


def _best_key(best: float | datetime, slack: timedelta) -> tuple[int, Any]:
    """A value as a key of ``order_key``: a number, or a moment that may be off by the slack."""
    if isinstance(best, datetime):
        since = best - datetime(1, 1, 1, tzinfo=UTC) + timedelta(days=1) + slack
        return (2, since // timedelta(microseconds=1))
    return (0, best)


class Descending:
    """Turns the order of a key around."""

    __slots__ = ("key",)

    def __init__(self, key: tuple[int, Any]) -> None:
        self.key = key

    def __lt__(self, other: Descending) -> bool:
        return other.key < self.key

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Descending) and other.key == self.key

    def __hash__(self) -> int:
        return hash(self.key)


SortKey: TypeAlias = tuple[Any, ...]


def sort_key(values: Sequence[tuple[Any, bool]], zone: Zone) -> SortKey:
    """A key for (value, descending) pairs; what has no place in the order comes last either way."""
    parts: list[Any] = []
    for value, descending in values:
        key = order_key(value, zone)
        if key is None:
            parts.append((1,))
        else:
            parts.append((0, Descending(key) if descending else key))
    return tuple(parts)


def _is_new(cells: Cells, seen: set[Any], limits: Limits) -> bool:
    key = tuple(identity(cell) for cell in cells)
    if key in seen:
        return False
    seen.add(key)
    limits.check_rows(len(seen), "distinct rows")
    return True
