"""Long recordings that a model listened to: where it detected words, what it missed, and how soon it knew."""

from collections.abc import Sequence

from sayso.metrics.detection import Firing, Heard
from sayso.views.figures import Pictures
from sayso.views.plots.timeline import TimelineRow, draw_latencies, draw_timeline

__all__ = ["draw_detections", "make_row"]


def make_row(
    name: str, seconds: float, firings: Sequence[Firing], heard: Heard | None, words: Sequence[str]
) -> TimelineRow:
    """Gather what there is to draw of one recording.

    Args:
        name: of the recording.
        seconds: its length.
        firings: what was detected.
        heard: the same held against what was said; None where that is not known.
        words: of the model; what was said of others was not missed.
    """
    if heard is None:
        return TimelineRow(name, seconds, {"detection": [firing.time for firing in firings]})
    missed = [heard.truth[place] for place in heard.outcome.misses]
    marks = {
        "hit": [heard.firings[hit.firing].time for hit in heard.outcome.hits],
        "missed": [stretch.end for stretch in missed if stretch.label in words],
        "false alarm": [heard.firings[alarm.firing].time for alarm in heard.outcome.alarms],
    }
    return TimelineRow(name, seconds, marks)


def draw_detections(rows: Sequence[TimelineRow], latencies: Sequence[float], *, within_seconds: float) -> Pictures:
    """Draw recordings as `timeline`, where there are any, and where any word was hit, `latency`."""
    figures = {"timeline": draw_timeline(rows)} if rows else {}
    return figures | ({"latency": draw_latencies(latencies, within_seconds=within_seconds)} if latencies else {})
