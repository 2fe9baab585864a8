"""What is seen while listening: a level meter and a bar for each word on a terminal, plain lines anywhere else."""

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Any

from sayso.errors import in_one_line

if TYPE_CHECKING:
    from rich.console import RenderableType

    from sayso.runtime.listener import Listener

__all__ = ["LiveDisplay", "draw"]

_FRAMES_PER_SECOND = 10
_MOST_WORDS = 12
_BAR_CELLS = 24
_QUIETEST_DB = -60.0


class LiveDisplay:
    """Draws what a listener hears, as long as the block runs; on standard error, so that results stay alone.

    Args:
        listener: whose level and scores are drawn.
    """

    def __init__(self, listener: "Listener") -> None:
        self._listener = listener
        self._live: Any = None
        self._next = 0.0

    def __enter__(self) -> "LiveDisplay":
        if sys.stderr.isatty():
            # Imported here, as help must open at once.
            from rich.console import Console
            from rich.live import Live

            # What is printed meanwhile stands above the bars; what goes into a file or pipe is left alone.
            self._live = Live(
                draw(self._listener),
                console=Console(stderr=True),
                auto_refresh=False,
                transient=True,
                redirect_stdout=sys.stdout.isatty(),
            )
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
            self._live.stop()

    def show(self) -> None:
        """Draw anew, where it is time to."""
        now = time.monotonic()
        if self._live and now >= self._next:
            self._next = now + 1 / _FRAMES_PER_SECOND
            self._live.update(draw(self._listener), refresh=True)


def draw(listener: "Listener") -> "RenderableType":
    """Draw the level and the scores of a listener as they are now; of many words the likeliest."""
    from rich.table import Table
    from rich.text import Text

    settings, labels, scores = listener.stream.settings, listener.stream.labels, listener.stream.scores
    table = Table.grid(padding=(0, 1))
    seconds = round(listener.heard_seconds)
    level = max(0.0, 1 - listener.level_db / _QUIETEST_DB)
    table.add_row("level", _bar(level), f"{listener.level_db:.0f} dB  {seconds // 60}:{seconds % 60:02d}")
    places = sorted(range(len(labels)), key=lambda place: -float(scores[place]))[:_MOST_WORDS]
    for place in sorted(places):
        threshold = settings.threshold_of(labels[place])
        is_over = scores[place] >= threshold
        bar = _bar(float(scores[place]), mark=threshold)
        table.add_row(
            Text(in_one_line(labels[place]), style="bold" if is_over else ""), bar, f"{100 * scores[place]:3.0f} %"
        )
    return table


def _bar(share: float, *, mark: float | None = None) -> str:
    """Draw a share of 1 as a bar, with a line at the mark.

    >>> _bar(0.5), _bar(0.0, mark=0.5)
    ('############............', '............|...........')
    """
    filled = round(_BAR_CELLS * min(1.0, share))
    bar = "#" * filled + "." * (_BAR_CELLS - filled)
    place = _BAR_CELLS if mark is None else min(_BAR_CELLS - 1, int(_BAR_CELLS * mark))
    return bar if mark is None else f"{bar[:place]}|{bar[place + 1 :]}"
