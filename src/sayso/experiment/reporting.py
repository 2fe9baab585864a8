"""Pictures and report of a run: what its scores look like, with the mistakes to be heard."""

from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sayso.classifier.inference import embed_rows
from sayso.data.corpus import Corpus
from sayso.recipe.prepared import Prepared
from sayso.recipe.recipe import recipe_yaml
from sayso.runs.folder import RunFolder
from sayso.runs.manifest import Manifest
from sayso.runs.metrics import Metrics
from sayso.runs.predictions import Predictions
from sayso.system.files import write_text
from sayso.views.figures.clip_map import map_clips
from sayso.views.figures.run import draw_report_figures
from sayso.views.html.clip_map import MappedClips
from sayso.views.plots.style import svg_text
from sayso.views.run_report import AnsweredClip, Mistake, RunReport, write_report

if TYPE_CHECKING:
    from sayso.training import Fitted

__all__ = ["map_clips_tested", "write_pictures_and_report"]

# A second of sound and its picture take 31 kB of the page.
_MOST_MISTAKES = 500
# Whose neighbours are looked for; 3,000 clips take a pretrained network four seconds.
_MOST_ASKED = 3_000


def write_pictures_and_report(
    run: RunFolder,
    prepared: Prepared,
    fitted: "Fitted",
    predictions: Predictions,
    metrics: Metrics,
    manifest: Manifest,
    mapped: MappedClips | None,
) -> None:
    """Draw a run's pictures and write its report, whose words say what its metrics and manifest hold.

    Args:
        run: its folder.
        prepared: its recipe and clips.
        fitted: what the training gave.
        predictions: answers to the test part.
        metrics: its scores.
        manifest: how it was made.
        mapped: the map of its clips; None: the report has none.
    """
    figures = draw_report_figures(metrics, manifest, [asdict(row) for row in fitted.log])
    drawn = {name: svg_text(figure) for name, figure in figures.items()}
    for name, svg in drawn.items():
        write_text(run.figures / f"{name}.svg", svg)
    report = RunReport(
        title=run.path.name,
        metrics=metrics,
        manifest=manifest,
        recipe_yaml=recipe_yaml(prepared.recipe),
        mistakes=_mistakes(prepared, predictions.probabilities),
        tested=_tested(prepared, predictions.probabilities),
        mapped=mapped,
        skipped=prepared.corpus.skipped,
        clip_licences=prepared.recipe.dataset.licences(),
        figures=drawn,
    )
    write_report(run.report, report)


def map_clips_tested(prepared: Prepared, fitted: "Fitted", *, learned: bool) -> MappedClips | None:
    """Map the test clips, or some of them, as the network knows them before its last layer.

    Args:
        prepared: recipe and clips.
        fitted: the network.
        learned: whether it has learned from the test clips too, as where speakers were left out in turn.

    Returns:
        None where there are too few.
    """
    corpus, test = prepared.corpus, prepared.split.test
    rows = np.sort(np.random.default_rng(0).permutation(test)[:_MOST_ASKED])
    vectors = embed_rows(fitted.classifier, corpus, rows)
    clip_map = map_clips(vectors, [corpus.clips[row].label for row in rows])
    note = "The model in this run has learned from these clips, so a wrong word may lie where its label says."
    return clip_map and MappedClips(
        clip_map,
        [corpus.names[row] for row in rows],
        lambda place: (np.array(corpus.samples[rows[place]]), corpus.audio.sample_rate),
        note if learned else "",
    )


def _mistakes(prepared: Prepared, probabilities: NDArray[np.float64]) -> list[Mistake]:
    """The surest of the clips that were taken for another word."""
    corpus, test = prepared.corpus, prepared.split.test
    predicted, sure = probabilities.argmax(axis=1), probabilities.max(axis=1)
    wrong = np.flatnonzero(predicted != corpus.targets[test])
    surest = wrong[np.argsort(-sure[wrong], kind="stable")][:_MOST_MISTAKES]
    return [_mistake(corpus, int(test[place]), probabilities[place]) for place in surest]


def _tested(prepared: Prepared, probabilities: NDArray[np.float64]) -> list[AnsweredClip]:
    corpus, answers = prepared.corpus, zip(prepared.split.test, probabilities, strict=True)
    return [
        AnsweredClip(
            name=corpus.names[row],
            path=corpus.clips[row].path,
            label=corpus.clips[row].label,
            predicted=corpus.labels[int(shares.argmax())],
            probability=float(shares.max()),
            speaker=corpus.clips[row].speaker,
            start_seconds=corpus.clips[row].start_seconds,
        )
        for row, shares in answers
    ]


def _mistake(corpus: Corpus, row: int, shares: NDArray[np.float64]) -> Mistake:
    clip = corpus.clips[row]
    return Mistake(
        name=corpus.names[row],
        label=clip.label,
        predicted=corpus.labels[int(shares.argmax())],
        probability=float(shares.max()),
        speaker=clip.speaker,
        samples=np.array(corpus.samples[row]),
        sample_rate=corpus.audio.sample_rate,
    )
