"""Hidden cells: small ones, and those that would tell them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cdr.analysis.small_cells import hidden_cells


def counts(*rows: tuple[object, ...]) -> list[int]:
    """The rows of which the one count is hidden; the last member is both count and persons."""
    kinds = ["key"] * (len(rows[0]) - 1) + ["count"]
    hidden = hidden_cells([(*row, row[-1]) for row in rows], kinds)  # type: ignore[arg-type]
    return sorted(at for at, _ in hidden)


def test_a_small_cell_takes_the_next_smallest_with_it() -> None:
    assert counts(("a", 20), ("b", 3), ("c", 9)) == [1, 2]


def test_two_small_cells_that_are_five_together_are_enough() -> None:
    assert counts(("a", 20), ("b", 3), ("c", 4)) == [1, 2]


def test_two_small_cells_that_are_fewer_than_five_take_a_third() -> None:
    assert counts(("a", 20), ("b", 1), ("c", 2), ("d", 30)) == [0, 1, 2]


def test_large_cells_and_nothing_stay() -> None:
    assert counts(("a", 20), ("b", 5), ("c", 0)) == []


def test_a_total_alone() -> None:
    assert counts((4,)) == [0]
    assert counts((5,)) == []


def test_in_two_dimensions_every_line_is_safe() -> None:
    rows = [
        (x, y, n) for x, line in enumerate([[3, 9, 8], [7, 12, 11], [6, 10, 20]]) for y, n in enumerate(line)
    ]
    hidden = counts(*rows)
    for of_line in (lambda x, y: x, lambda x, y: y):
        lines: dict[int, list[int]] = {}
        for at in hidden:
            lines.setdefault(of_line(rows[at][0], rows[at][1]), []).append(rows[at][2])
        assert all(len(line) > 1 and sum(line) >= 5 for line in lines.values())


def test_counts_that_differ_by_few_would_count_the_others() -> None:
    kinds = ["key", "count", "count"]
    assert hidden_cells([("a", 20, 17, 20), ("b", 30, 30, 30)], kinds) == {(0, 2), (1, 2)}  # type: ignore[arg-type]


def test_other_aggregates_of_few_are_hidden() -> None:
    assert hidden_cells([(140.0, 2)], ["other"]) == {(0, 0)}
    assert hidden_cells([(140.0, 7)], ["other"]) == frozenset()


@given(st.lists(st.integers(0, 12), min_size=1, max_size=8))
def test_nobody_can_work_out_a_small_cell_from_the_total(sizes: list[int]) -> None:
    hidden = counts(*[(at, size) for at, size in enumerate(sizes)])
    assert {at for at, size in enumerate(sizes) if 0 < size < 5} <= set(hidden)
    together = sum(sizes[at] for at in hidden)
    others = [size for at, size in enumerate(sizes) if at not in hidden and size > 0]
    assert not hidden or not others or (len(hidden) > 1 and together >= 5)
