"""What a measurement is, and how a list of them is printed."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """Something measured. `floor` is what the bare machine needs for the least that any program would have to do.

    `aim` is what the project promises; it is printed beside what was measured and never decides over anything, since
    machines are shared and noisy.
    """

    name: str
    unit: str
    median: float
    p99: float
    aim: float | None = None
    floor: float | None = None
    floor_name: str = ""

    @property
    def ratio(self) -> float | None:
        return self.median / self.floor if self.floor else None


def figure(name: str, unit: str, samples: Sequence[float], *, aim: float | None = None) -> Figure:
    """The figure of many samples."""
    ordered = sorted(samples)
    return Figure(name, unit, statistics.median(ordered), ordered[int(len(ordered) * 0.99)], aim)


def beside(measured: Figure, floor: Figure) -> Figure:
    """`measured`, with `floor` to hold against it."""
    return Figure(measured.name, measured.unit, measured.median, measured.p99, measured.aim, floor.median, floor.name)


def table(figures: Sequence[Figure]) -> str:
    """The figures for a person, as Markdown."""
    rows = [("what", "median", "p99", "aim", "floor", "times the floor"), *map(_row, figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def _row(one: Figure) -> tuple[str, ...]:
    def shown(value: float | None) -> str:
        return "" if value is None else f"{value:.3g} {one.unit}"

    floor = f"{shown(one.floor)} ({one.floor_name})" if one.floor is not None else ""
    ratio = "" if one.ratio is None else f"{one.ratio:.1f}"
    return (one.name, shown(one.median), shown(one.p99), shown(one.aim), floor, ratio)
