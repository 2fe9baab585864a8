"""Scores as a person reads them; each with its interval, and with what limits it."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sayso.cli.console import say, was_read
from sayso.errors import in_one_line
from sayso.system.wording import counted, in_shell, percent

if TYPE_CHECKING:
    from sayso.runs.folder import RunFolder

__all__ = [
    "accepted_line",
    "rejection_line",
    "say_where",
    "score_line",
    "show_notes",
    "show_run",
    "show_scores",
    "worst_line",
]


def score_line(scores: Mapping[str, Any], label: str = "") -> str:
    """Accuracy with its intervals, and with what limits it, in one line.

    >>> score_line({"accuracy": 0.98, "accuracy_ci95": [0.957, 0.991], "n": 300})
    '98.0 % of 300 clips right (95 % interval over clips: 95.7 to 99.1)'
    >>> score_line({"accuracy": 1.0, "accuracy_ci95": [0.72, 1.0], "n": 10}, "random split: speakers shared")
    '100.0 % of 10 clips right (95 % interval over clips: 72.0 to 100.0), random split: speakers shared'
    """
    from sayso.runs.manifest import put_beside

    line = f"{percent(scores['accuracy'])} of {counted(scores['n'], 'clip')} right"
    intervals = [f"95 % interval over clips: {_limits(scores['accuracy_ci95'])}"]
    if scores.get("speaker_accuracy_ci95"):
        intervals.append(f"over {counted(scores['speakers'], 'speaker')}: {_limits(scores['speaker_accuracy_ci95'])}")
    return put_beside(f"{line} ({'; '.join(intervals)})", label)


def worst_line(scores: Mapping[str, Any]) -> str | None:
    """The speaker least well understood; None where there is none to name.

    >>> worst_line({"worst_speaker": "theo", "per_speaker": {"theo": {"accuracy": 0.94, "n": 50}}})
    'theo, 94.0 % of 50 clips right'
    """
    name = scores.get("worst_speaker")
    if name is None:
        return None
    own = scores["per_speaker"][name]
    return f"{name}, {percent(own['accuracy'])} of {counted(own['n'], 'clip')} right"


def rejection_line(scores: Mapping[str, Any]) -> str:
    """What the threshold costs wanted words, and how unknown words are told from them, in one line."""
    rejected = scores["false_reject"]
    if "false_accept" not in scores:
        wanted = scores["accepted_right"]
        limits = wanted.get("speaker_ci95") or wanted["ci95"]
        over = "speakers" if wanted.get("speaker_ci95") else "clips"
        return (
            f"as it answers, {percent(wanted['rate'])} of these clips are named rightly (95 % interval over {over}: "
            f"{_limits(limits)}) and {percent(rejected['rate'])} taken for none of these"
        )
    accepted = scores["false_accept"]
    interval = "({:.3f} to {:.3f}) ".format(*scores["auroc_ci95"]) if scores["auroc_ci95"] else ""
    words = counted(len(scores["words"]), "word")
    return (
        f"AUROC {scores['auroc']:.3f} {interval}for {words} unknown to it; {percent(accepted['rate'])} of "
        f"{counted(accepted['n'], 'clip')} accepted where {percent(rejected['rate'])} of known words are rejected"
    )


def accepted_line(scores: Mapping[str, Any]) -> str:
    """What a model's own threshold does to wanted words, and to other words where some were there, in one line."""
    wanted, lost = percent(scores["accepted_right"]["rate"]), percent(scores["false_reject"]["rate"])
    line = f"with rejection: {wanted} accepted and right, {lost} taken for none of these"
    if others := scores.get("false_accept"):
        words = counted(len(scores["words"]), "other word")
        line += f"; of {counted(others['n'], 'clip')} of {words} {percent(others['rate'])} taken for a word"
        line += f" (mean over words {percent(scores['false_accept_macro'])})"
    return line


def show_run(run: "RunFolder") -> None:
    """Print what a finished run scored."""
    from sayso.metrics.scores import name_never_recognised

    metrics, manifest = run.metrics(), run.manifest()
    clips = manifest["clips"]
    say(
        f"clips        {clips['train']} to train, {clips['validation']} to validate, {clips['test']} to test "
        f"({manifest['split']} split)"
    )
    seconds, best = manifest["training_seconds"], manifest["best_epoch"]
    say(f"training     {counted(manifest['epochs'], 'epoch')} in {seconds:.0f} s; the weights of epoch {best} count")
    say(f"test         {score_line(metrics['test'], run.split_label())}")
    if never := name_never_recognised(metrics["test"]["per_class"]):
        say(f"words        {never}")
    if worst := worst_line(metrics["test"]):
        say(f"worst        {worst}")
    if rejection := metrics.get("rejection"):
        say(f"rejection    {rejection_line(rejection)}")
    show_notes(manifest["notes"])
    if advice := manifest.get("advice"):
        for each in advice["most"]:
            say(f"would help   {each}")
        if advice["basis"]:
            say(f"             {advice['basis']}")


def show_notes(notes: Sequence[str]) -> None:
    """Print the notes of a run, but for those that a person has just read on the same terminal."""
    unread = [note for note in notes if not was_read(note)]
    for note in unread:
        say(f"note         {in_one_line(note)}")
    if told := len(notes) - len(unread):
        say(f"notes        {told} above, which the report has too")


def say_where(run: "RunFolder") -> None:
    """Print where a run's report and model are, and how to try it."""
    say(f"report       {run.report}")
    say(f"model        {run.onnx}")
    say(f"try it       sayso predict FILE.wav --model {in_shell(run.path)}")


def show_scores(scores: Mapping[str, Any], label: str = "") -> None:
    """Print scores with what limits them, and their tables by word and by speaker."""
    from sayso.metrics.scores import name_never_recognised

    say(score_line(scores, label))
    if never := name_never_recognised(scores["per_class"]):
        say(never)
    if worst := worst_line(scores):
        say(f"worst speaker: {worst}")
    if rejection := scores.get("rejection"):
        say(rejection_line(rejection) if "auroc" in rejection else accepted_line(rejection))
    say(f"loss {scores['loss']:.3f}, calibration error {scores['ece']:.3f}")
    say(f"\n{'word':<20}{'clips':>7}{'recall':>10}{'precision':>11}")
    for word, row in scores["per_class"].items():
        say(f"{word:<20}{row['n']:>7}{percent(row['recall']):>10}{percent(row['precision']):>11}")
    speakers = sorted(scores["per_speaker"].items(), key=lambda item: (item[1]["accuracy"], -item[1]["n"], item[0]))
    if speakers:
        say(f"\n{'speaker':<20}{'clips':>7}{'accuracy':>10}   worst first")
    for speaker, row in speakers[:20]:
        say(f"{speaker:<20}{row['n']:>7}{percent(row['accuracy']):>10}   {_limits(row['accuracy_ci95'])}")
    if len(speakers) > 20:
        say(f"... and {len(speakers) - 20} more; --json gives them all")


def _limits(interval: Sequence[float]) -> str:
    return f"{100 * interval[0]:.1f} to {100 * interval[1]:.1f}"
