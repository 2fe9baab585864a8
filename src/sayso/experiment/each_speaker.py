"""Few speakers: a training without each of them answers for that speaker; the one that is kept hears everyone."""

from typing import TYPE_CHECKING

import numpy as np

from sayso.classifier.checkpoint import load_model
from sayso.classifier.inference import logits_of_rows
from sayso.errors import InterruptedRunError
from sayso.evaluation.out_of_fold import OutOfFold, judge_out_of_fold
from sayso.recipe.prepared import Prepared
from sayso.runs.folder import RunFolder
from sayso.system.wording import counted, in_shell

if TYPE_CHECKING:
    from sayso.training import Sources, Teacher

__all__ = ["answer_for_each_speaker", "train_without_each_speaker"]


def train_without_each_speaker(
    prepared: Prepared,
    run: RunFolder,
    sources: "Sources",
    start: RunFolder | None = None,
    teacher: "Teacher | None" = None,
) -> None:
    """Train without each speaker in turn.

    The trainings lie in the run's folder, so that one that is stopped goes on where it was; their weights stay there.

    Args:
        prepared: the recipe and its clips, which are divided by each speaker.
        run: the run's folder.
        sources: the features of all clips, which every training draws from.
        start: a run that left out the same speakers, whose models these trainings begin with; None: with nothing.
        teacher: the recipe's own, with those beside it that left out one speaker each; None: it has none.

    Raises:
        InterruptedRunError: Ctrl-C; what was trained so far is kept.
        RunError: a training diverges.
        OutputError: the folder cannot be written.
    """
    from sayso.training import fit

    names = prepared.test_speakers
    with prepared.progress.task("leaving each speaker out", total=len(names), unit="speakers") as task:
        for place, name in enumerate(names):
            fold = run.fold(place)
            fold.path.mkdir(parents=True, exist_ok=True)
            try:
                begun = None if start is None else load_model(start.fold(place).weights)
                own, heard = (teacher.others[place], sources.taught_by(1 + place)) if teacher else (None, sources)
                fit(prepared.without_speaker(name), fold, heard, begun, own)
            except InterruptedRunError as error:
                kept = f"stopped; what was trained without {place} of {counted(len(names), 'speaker')} is kept"
                raise InterruptedRunError(f"{kept}. Go on with: sayso train --resume {in_shell(run.path)}") from error
            task.advance()


def answer_for_each_speaker(prepared: Prepared, run: RunFolder) -> OutOfFold:
    """Answer each speaker's clips by the model that never heard that speaker.

    Raises:
        ModelError: one of these models is not in the run's folder, or damaged.
    """
    corpus, tested = prepared.corpus, prepared.split.test
    by_row: dict[int, np.ndarray] = {}
    for place, name in enumerate(prepared.test_speakers):
        rows = prepared.without_speaker(name).split.test
        logits = logits_of_rows(load_model(run.fold(place).weights), corpus, rows)
        by_row |= zip(rows.tolist(), logits, strict=True)
    rejection = prepared.recipe.rejection
    return judge_out_of_fold(
        np.stack([by_row[row] for row in tested.tolist()]),
        corpus.targets[tested],
        [corpus.clips[row].speaker or "" for row in tested],
        words=len(corpus.labels),
        lost_share=rejection.lost_share if rejection.has_negatives else None,
        usual_threshold=rejection.usual_threshold,
    )
