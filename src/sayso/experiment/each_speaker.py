"""Few speakers: a training without each of them answers for that speaker; the one that is kept hears everyone."""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from sayso.classifier.inference import logits_of_rows
from sayso.data.splits import divide_for_speaker
from sayso.errors import InterruptedRunError
from sayso.evaluation.out_of_fold import OutOfFold, judge_out_of_fold
from sayso.recipe.prepared import Prepared
from sayso.runs.folder import RunFolder
from sayso.system.progress import Progress
from sayso.system.wording import counted

if TYPE_CHECKING:
    from sayso.training import Sources

__all__ = ["answer_for_each_speaker"]


def answer_for_each_speaker(prepared: Prepared, run: RunFolder, sources: "Sources") -> OutOfFold:
    """Train without each speaker in turn and answer that speaker's clips.

    The trainings lie in the run's folder while it is unfinished, so that one that is stopped goes on where it was.

    Args:
        prepared: the recipe and its clips, which are divided by each speaker.
        run: the run's folder.
        sources: the features of all clips, which every training draws from.

    Raises:
        InterruptedRunError: Ctrl-C; what was trained so far is kept.
        RunError: a training diverges.
        OutputError: the folder cannot be written.
    """
    from sayso.training import fit

    corpus, tested = prepared.corpus, prepared.split.test
    speakers = [corpus.clips[row].speaker or "" for row in tested]
    names = sorted(set(speakers))
    classes = len(corpus.labels) + bool(prepared.recipe.rejection.negatives)
    logits = np.zeros((len(tested), classes), np.float32)
    with prepared.progress.task("leaving each speaker out", total=len(names), unit="speakers") as task:
        for place, name in enumerate(names):
            folder = RunFolder(run.folds / str(place))
            folder.path.mkdir(parents=True, exist_ok=True)
            split = divide_for_speaker(corpus, name)
            try:
                fitted = fit(replace(prepared, split=split, progress=Progress()), folder, sources)
            except InterruptedRunError as error:
                done = f"{place} of {counted(len(names), 'speaker')}"
                raise InterruptedRunError(
                    f"stopped; what was trained without {done} is kept. Go on with: sayso train --resume {run.path}"
                ) from error
            logits[np.isin(tested, split.test)] = logits_of_rows(fitted.classifier, corpus, split.test)
            task.advance()
    rejection = prepared.recipe.rejection
    return judge_out_of_fold(
        logits,
        corpus.targets[tested],
        speakers,
        words=len(corpus.labels),
        lost_share=rejection.lost_share if rejection.negatives else None,
    )
