"""One contest: several sides do the same work in turn, round after round, and figures are read off each round."""

import statistics
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

__all__ = ["Contest", "Figure", "NotHereError", "Outcome"]

Seconds = Mapping[str, float]
"""What each side took in one round: seconds, or what the contest's unit says."""


class NotHereError(Exception):
    """A contest cannot be held on this machine; the text says what it needs."""


@dataclass(frozen=True)
class Figure:
    """One number of interest in a round, with its target if there is one."""

    name: str
    of: Callable[[Seconds], float]
    least: float | None = None
    most: float | None = None

    def reached(self, value: float) -> bool:
        """Say whether `value` is within the target."""
        return (self.least is None or value >= self.least) and (self.most is None or value <= self.most)

    @property
    def target(self) -> str:
        """The target as a reader sees it."""
        if self.least is not None:
            return f">= {self.least:g}"
        return f"<= {self.most:g}" if self.most is not None else ""


@dataclass(frozen=True)
class Outcome:
    """Medians over all rounds: seconds (or what the unit says) by side, and each figure's value."""

    seconds: dict[str, float]
    figures: dict[str, float]


@dataclass(frozen=True)
class Contest:
    """Sides, each a call that does its work once and gives the seconds that count, and what to read off them.

    Attributes:
        title: what is compared.
        sides: by name.
        figures: what is read off a round.
        unit: of what the sides give.
        notes: what a reader of the figures should know, a line each.
        close: what to call when the contest is over.
    """

    title: str
    sides: Mapping[str, Callable[[], float]]
    figures: tuple[Figure, ...]
    unit: str = "s"
    notes: tuple[str, ...] = ()
    close: tuple[Callable[[], None], ...] = ()

    def hold(self, *, rounds: int) -> Outcome:
        """Let the sides take turns for `rounds` rounds.

        A figure is computed within each round and its median taken: a machine that is slow for a while is slow for
        all sides of that round.
        """
        taken = [{name: side() for name, side in self.sides.items()} for _ in range(rounds)]
        return Outcome(
            seconds={name: statistics.median(seconds[name] for seconds in taken) for name in self.sides},
            figures={figure.name: statistics.median(map(figure.of, taken)) for figure in self.figures},
        )

    def table(self, outcome: Outcome) -> Iterator[str]:
        """Yield what came of it, line by line."""
        width = max(map(len, (*outcome.seconds, *outcome.figures)))
        yield f"\n{self.title}"
        for side, seconds in outcome.seconds.items():
            yield f"  {side:{width}}  {seconds:8.3f} {self.unit}"
        for figure in self.figures:
            value = outcome.figures[figure.name]
            told = (
                f"target {figure.target}: {'reached' if figure.reached(value) else 'MISSED'}" if figure.target else ""
            )
            yield f"  {figure.name:{width}}  {value:8.3f}    {told}".rstrip()
        yield from (f"  ({note})" for note in self.notes)
