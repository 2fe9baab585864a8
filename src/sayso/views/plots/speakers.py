"""Who is understood, and who is not: accuracy by speaker."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sayso.system.wording import percent
from sayso.views.plots.shares import set_share_axis
from sayso.views.plots.style import (
    BLUE,
    MUTED,
    VERMILION,
    add_axes,
    make_figure,
    make_printable,
    text_inches,
    use_style,
)

__all__ = ["compare_speakers", "draw_accuracy_by_speaker"]

_MOST_SPEAKERS = 40
_WORST_SPEAKERS = 20
_FOOT_INCHES = 0.6
_LINE_INCHES = 0.2
_ROW_INCHES = 0.25


def draw_accuracy_by_speaker(per_speaker: Mapping[str, Mapping[str, Any]], *, label: str = "") -> Figure:
    """Draw each speaker's accuracy as a dot with its 95 % interval, worst at the top.

    More than 40 speakers are too many for one picture: then the 20 worst are shown, and a line says so.

    Args:
        per_speaker: name to n (clips), accuracy (0 to 1) and accuracy_ci95 ([low, high] or None); speakers without an
            accuracy are left out.
        label: what limits these scores, such as that speakers are shared; stands below.

    Returns:
        A figure 7 inches wide that grows with the number of speakers.
    """
    ranked = sorted(
        ((name, scores) for name, scores in per_speaker.items() if scores["accuracy"] is not None),
        key=lambda item: (item[1]["accuracy"], -item[1]["n"], item[0]),
    )
    shown = ranked[:_WORST_SPEAKERS] if len(ranked) > _MOST_SPEAKERS else ranked
    names = [f"{make_printable(name, most=20)} ({scores['n']})" for name, scores in shown]
    left = max((text_inches(name, points=9.5) for name in names), default=0.0) + 0.2
    height = _ROW_INCHES * max(1, len(shown))
    foot = _FOOT_INCHES + (_LINE_INCHES if label else 0.0)
    with use_style():
        figure = make_figure(7.0, height + foot + 0.5)
        axes = add_axes(figure, left=left, bottom=foot, width=6.7 - left, height=height)
        _dots(axes, [scores for _, scores in shown])
        _frame(axes, names, "clips recognised, with 95 % interval", label, lowest=_lowest(shown))
        clips = sum(scores["n"] for _, scores in ranked)
        if clips:
            everyone = sum(scores["n"] * scores["accuracy"] for _, scores in ranked) / clips
            axes.axvline(everyone, color=MUTED, linestyle=":", linewidth=1.2)
        axes.set_title(_headline(ranked, len(shown)), fontsize=9.5, fontweight="normal")
    return figure


def _dots(axes: Axes, rows: Sequence[Mapping[str, Any]]) -> None:
    for place, scores in enumerate(rows):
        if scores.get("accuracy_ci95") is not None:
            low, high = scores["accuracy_ci95"]
            axes.plot([low, high], [place, place], color=BLUE, linewidth=2.2, alpha=0.45, solid_capstyle="round")
        axes.plot([scores["accuracy"]], [place], color=BLUE, marker="o", markersize=5)


def compare_speakers(runs: Mapping[str, Mapping[str, Mapping[str, Any]]], *, label: str = "") -> Figure:
    """Draw the accuracy of each speaker in two runs: a filled dot for the first, an open square for the second.

    Those that lost most stand at the top; of more than 40 speakers the 20 that lost most are shown.

    Args:
        runs: name of a run to its speakers, as `draw_accuracy_by_speaker` takes them; two runs. Speakers that only one
            run has are left out.
        label: as `draw_accuracy_by_speaker` takes it, for both.

    Returns:
        A figure 7 inches wide that grows with the number of speakers.
    """
    (first_name, first), (second_name, second) = runs.items()
    change = {
        name: second[name]["accuracy"] - first[name]["accuracy"]
        for name in first
        if name in second and None not in (first[name]["accuracy"], second[name]["accuracy"])
    }
    ranked = sorted(change, key=lambda name: (change[name], name))
    shown = ranked[:_WORST_SPEAKERS] if len(ranked) > _MOST_SPEAKERS else ranked
    names = [make_printable(name, most=20) for name in shown]
    left = max((text_inches(name, points=9.5) for name in names), default=0.0) + 0.2
    height = _ROW_INCHES * max(1, len(shown))
    foot = _FOOT_INCHES + (_LINE_INCHES if label else 0.0)
    with use_style():
        figure = make_figure(7.0, height + foot + 0.4)
        axes = add_axes(figure, left=left, bottom=foot, width=6.7 - left, height=height)
        before = [first[name]["accuracy"] for name in shown]
        after = [second[name]["accuracy"] for name in shown]
        places = range(len(shown))
        axes.hlines(places, before, after, colors=MUTED, linewidths=1.2)
        axes.plot(before, places, color=BLUE, marker="o", markersize=6, linestyle="", label=make_printable(first_name))
        square: dict[str, Any] = {"marker": "s", "markerfacecolor": "white", "markeredgewidth": 1.6, "markersize": 6}
        axes.plot(after, places, color=VERMILION, linestyle="", label=make_printable(second_name), **square)
        _frame(axes, names, "clips recognised", label, lowest=min([*before, *after], default=0.0))
        axes.legend(ncols=2, loc="lower right", bbox_to_anchor=(1, 1), borderaxespad=0, fontsize=9)
        some = "" if len(shown) == len(ranked) else f"the {len(shown)} of {len(ranked)} speakers that lost most"
        axes.set_title(some, fontsize=9.5, fontweight="normal")
    return figure


def _frame(axes: Axes, names: Sequence[str], said: str, label: str, *, lowest: float) -> None:
    set_share_axis(axes, "x", said, lowest=lowest)
    axes.set_xlabel("\n".join(filter(None, (axes.get_xlabel(), label))))
    axes.grid(axis="x")
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set_yticks(range(len(names)), names, fontsize=9.5)
    axes.set_ylim(max(1, len(names)) - 0.5, -0.5)


def _lowest(rows: Sequence[tuple[str, Mapping[str, Any]]]) -> float:
    ends = ((scores["accuracy"], *(scores.get("accuracy_ci95") or ())) for _, scores in rows)
    return min((min(own) for own in ends), default=0.0)


def _headline(ranked: Sequence[tuple[str, Mapping[str, Any]]], shown: int) -> str:
    if shown == len(ranked):
        return "speaker (clips); dotted: all clips together"
    least = ranked[shown][1]["accuracy"]
    return f"the {shown} worst of {len(ranked)} speakers; the others reach {percent(least)} or more"
