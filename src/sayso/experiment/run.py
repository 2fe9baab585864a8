"""A run, opened: its scores, its model, its pictures."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Any

from sayso.classifier.checkpoint import load_model
from sayso.classifier.inference import predict_probabilities
from sayso.classifier.module import Classifier
from sayso.data.datasets import DatasetConfig
from sayso.data.splits.settings import EACH_SPEAKER
from sayso.errors import DataError, MissingExtraError, RunError
from sayso.evaluation.model_scores import score_rows
from sayso.evaluation.other_recordings import OtherPart, OtherScores, score_other_recordings
from sayso.evaluation.rejection import score_own_threshold, score_rejection
from sayso.experiment.each_speaker import answer_for_each_speaker
from sayso.recipe.prepared import Prepared, prepare
from sayso.recipe.recipe import Recipe, read_kept_recipe
from sayso.runs.folder import RunFolder
from sayso.runs.manifest import Manifest
from sayso.runtime import Recognizer
from sayso.system.progress import Progress

if TYPE_CHECKING:
    from sayso.views.plots.style import Figure

__all__ = ["Run", "check_same_clips"]


@dataclass(frozen=True)
class Run(RunFolder):
    """A run, opened: its scores, its model, its pictures.

    >>> from pathlib import Path
    >>> Run(Path("runs/nowhere")).finished
    False
    """

    @cached_property
    def settings(self) -> Recipe:
        """The recipe it was trained by."""
        return read_kept_recipe(self.recipe)

    def classifier(self) -> Classifier:
        """The trained model, to look into or to train on."""
        return load_model(self.weights)

    def recognizer(self) -> Recognizer:
        """The exported model, to answer with."""
        return Recognizer(self.onnx)

    def open_clips(self, progress: Progress) -> Prepared:
        """Give the clips it was trained on, and their parts.

        Raises:
            DataError: they are not there.
            RunError: they have changed since the training: a split drawn anew could put clips that were trained on into
                the test part.
        """
        prepared = prepare(self.settings, progress)
        check_same_clips(self.manifest(), prepared, f"{self.path}: its clips have changed since it was trained")
        return prepared

    def evaluate(self, part: str = "test", *, progress: Progress | None = None) -> dict[str, Any]:
        """Score a part again from the model and the clips.

        Args:
            part: `test`, `validation`, `train` or `all`.
            progress: where to report.

        Returns:
            Scores as `metrics.json` holds them; with `rejection` where the model has a threshold or, of the test part,
            words were kept to be rejected.

        Raises:
            RunError: the part has no clips, or the clips have changed since the training: a split drawn anew could put
                clips that were trained on into the test part.
            SettingsError: there is no such part.
        """
        prepared = self.open_clips(progress or Progress())
        corpus, rows = prepared.corpus, prepared.rows(part)
        if len(rows) == 0:
            raise RunError(f"{self.path}: its {part} part has no clips; choose another --split")
        classifier, thresholds = self.classifier(), None
        if part == "test" and prepared.split.kind == EACH_SPEAKER:
            answers = answer_for_each_speaker(prepared, self)
            probabilities, thresholds = answers.probabilities, answers.thresholds
        else:
            probabilities = predict_probabilities(classifier, corpus, rows)
        scores = score_rows(corpus, rows, probabilities, classifier.labels)
        if part == "test":
            rejected = score_rejection(classifier, prepared, probabilities, thresholds=thresholds)
        else:
            rejected = score_own_threshold(classifier, corpus, rows, probabilities)
        return scores | ({"rejection": rejected} if rejected else {})

    def evaluate_on(
        self,
        dataset: DatasetConfig,
        *,
        part: OtherPart = "all",
        words: Mapping[str, str] | None = None,
        progress: Progress | None = None,
    ) -> OtherScores:
        """Score the model on other recordings than it was trained from, as `score_other_recordings` does.

        Args:
            dataset: the other recordings, see `sayso.data.datasets.find_dataset`.
            part: the part of that name in the data set's own split, or `all`.
            words: what a label of the data set is called by the model, where the two differ.
            progress: where to report.

        Raises:
            DataError: no clip is left to score, or one has the samples of a clip that was trained on.
            SettingsError: `words` names a label that is not there.
        """
        progress = progress or Progress()
        return score_other_recordings(
            self.classifier(),
            self._trained_clips(progress),
            dataset,
            part=part,
            words=words,
            data_hash=self.manifest().get("data_hash", ""),
            progress=progress,
        )

    def _trained_clips(self, progress: Progress) -> Prepared | None:
        """The clips it was trained on; None where they are no longer what they were."""
        try:
            prepared = self.open_clips(progress)
            _ = prepared.negatives
        except (DataError, MissingExtraError, RunError):
            return None
        return prepared

    def _repr_html_(self) -> str:
        """What a notebook shows of it; of a run that has not finished, how to go on."""
        if self.finished:
            # Imported here, as below: pictures are seldom asked for, and take half a second to be loaded.
            from sayso.views.run_card import make_run_card

            return make_run_card(self)
        return f"<p>{escape(str(self.path))} has not finished: <code>sayso train --resume</code> goes on.</p>"

    def show_confusion(self) -> "Figure":
        """Draw the confusion matrix of the test part."""
        from sayso.views.figures.run import read_confusion
        from sayso.views.plots.confusion import draw_confusion_matrix

        return draw_confusion_matrix(*read_confusion(self.metrics()))

    def show_flow(self) -> "Figure":
        """Draw the alluvial plot of the test part: predicted words flowing into true ones."""
        from sayso.views.figures.run import read_confusion
        from sayso.views.plots.flow import draw_alluvial

        return draw_alluvial(*read_confusion(self.metrics()))

    def show_training(self) -> "Figure":
        """Draw loss and accuracy by epoch."""
        from sayso.views.figures.run import read_log_rows
        from sayso.views.plots.curves import draw_loss_and_accuracy

        return draw_loss_and_accuracy(read_log_rows(self), best_epoch=self.manifest().get("best_epoch"))


def check_same_clips(
    manifest: Manifest, prepared: Prepared, complaint: str, *, mend: str = "bring the old clips back, or train anew"
) -> None:
    """Raise RunError, from the complaint to the mend, where clips or split are not those that a manifest names."""
    now = {"data_hash": prepared.corpus.content_hash, "split_hash": prepared.split.split_hash}
    for key, value in now.items():
        if manifest.get(key) != value:
            before = manifest.get("clips", {})
            then, here = sum(before.values()), sum(len(prepared.rows(part)) for part in before)
            what = f"{then:,} then, {here:,} now" if then != here else key
            raise RunError(f"{complaint} ({what}); {mend}")
