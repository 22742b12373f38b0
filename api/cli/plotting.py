"""Rows as a picture: each column of numbers over the first column."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from api.client import Rows
from archetypes.errors import HelsekortError

PLOTS = (".svg", ".png", ".pdf")


class NothingToPlot(HelsekortError):
    """No column of numbers beside the first column."""

    code = "plot.nothing"

    def __init__(self) -> None:
        super().__init__("there is nothing to plot: the second column, or a later one, must hold numbers")


def write_plot(found: Rows, target: Path) -> None:
    """Lines over times or numbers, bars over texts. Raises NothingToPlot."""
    # Slow to import, and needed for this alone.
    import matplotlib.figure

    columns = list(zip(*found.rows, strict=True))
    drawn = [
        (name, cells) for name, cells in zip(found.columns[1:], columns[1:], strict=False) if _numbers(cells)
    ]
    if not drawn:
        raise NothingToPlot
    places, texts = _places(columns[0])
    figure = matplotlib.figure.Figure(figsize=(9, 5), layout="constrained")
    axes = figure.subplots()
    width = 0.8 / len(drawn)
    for index, (name, cells) in enumerate(drawn):
        heights = [float("nan") if cell is None else cell for cell in cells]
        if texts:
            axes.bar([place + index * width for place in range(len(cells))], heights, width, label=name)
        else:
            pairs = sorted(zip(places, heights, strict=True))
            axes.plot([x for x, _ in pairs], [y for _, y in pairs], marker="o", label=name)
    if texts:
        middle = (len(drawn) - 1) * width / 2
        axes.set_xticks([place + middle for place in range(len(texts))], texts, rotation=45, ha="right")
    axes.set_xlabel(found.columns[0])
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(target, metadata={"Date": None} if target.suffix == ".svg" else None)


def _numbers(cells: Sequence[Any]) -> bool:
    present = [cell for cell in cells if cell is not None]
    return bool(present) and all(type(cell) in (int, float) for cell in present)


def _places(cells: Sequence[Any]) -> tuple[Sequence[Any], list[str]]:
    """Where the cells of the first column stand on the axis; or else their texts."""
    if _numbers(cells) and None not in cells:
        return cells, []
    try:
        times = [datetime.fromisoformat(cell) for cell in cells]
        return [time.astimezone() for time in times], []
    except (TypeError, ValueError):
        return (), ["" if cell is None else str(cell) for cell in cells]
