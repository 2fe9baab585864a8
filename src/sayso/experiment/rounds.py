"""Trainings before the last: each listens to long recordings, and what it takes for a word there is a negative then."""

from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from sayso.classifier.checkpoint import load_model
from sayso.classifier.inference import predict_logits
from sayso.classifier.module import Classifier, samples_from_int16
from sayso.classifier.streaming import make_streaming
from sayso.data.long_recordings import LongRecordings
from sayso.metrics.probabilities import softmax
from sayso.recipe.prepared import Prepared
from sayso.runs.folder import RunFolder
from sayso.system.progress import Progress
from sayso.system.wording import counted

if TYPE_CHECKING:
    from sayso.training import Hardware, Sources, Teacher

__all__ = ["find_mistaken", "train_rounds"]

# A tenth of what trains from the recordings at most, and only what is taken for a word with some right.
_MOST_SHARE, _LEAST_PROBABILITY = 0.1, 0.05
_CHUNKS = 64


def train_rounds(
    prepared: Prepared,
    run: RunFolder,
    hardware: "Hardware",
    sources: "Sources | None",
    teacher: "Teacher | None" = None,
) -> "tuple[Prepared, Sources | None]":
    """Train as many rounds as the recipe asks for, in folders of the run's own, so that a stopped one goes on.

    Args:
        prepared: the recipe and its clips.
        run: the run's folder.
        hardware: what is trained on.
        sources: features that were computed already; None: none were.
        teacher: the recipe's own; None: it has none.

    Returns:
        The clips with the negatives that were found, and features of them.

    Raises:
        InterruptedRunError: Ctrl-C; what was trained so far is kept.
        RunError: a training diverges.
        OutputError: the folder cannot be written.
    """
    from sayso.training import compute_features, fit

    rejection, recordings = prepared.recipe.rejection, prepared.recordings
    for place in range(rejection.rounds):
        assert recordings is not None
        folder = run.round(place)
        folder.path.mkdir(parents=True, exist_ok=True)
        fit(prepared, folder, sources, teacher=teacher)
        classifier = load_model(folder.weights)
        most = max(1, round(_MOST_SHARE * rejection.windows))
        found = find_mistaken(classifier, recordings, most=most, progress=prepared.progress)
        windows = recordings.take(found, classifier.audio.clip_samples)
        prepared.progress.note(
            f"round {place + 1} of {rejection.rounds}: {counted(len(found), 'window')} of the recordings taken for a "
            "word train as none from here on"
        )
        prepared = prepared.with_negatives(windows, f"{counted(len(found), 'window')} of round {place + 1}")
        if sources is not None:
            sources = compute_features(prepared, hardware, sources.kept, teacher)
    return prepared, sources


def find_mistaken(
    classifier: Classifier, recordings: LongRecordings, *, most: int, progress: Progress
) -> list[tuple[int, int]]:
    """Find the windows that a model takes for a word most surely, as places of `LongRecordings.windows`.

    Of windows that overlap by more than half the surest one counts.

    Args:
        classifier: on the processor.
        recordings: in which there is no word.
        most: how many at most.
        progress: where to report.
    """
    length = classifier.audio.clip_samples
    hop = classifier.recipe.stream.hop_samples(classifier.audio.sample_rate)
    found: list[tuple[float, int, int]] = []
    with progress.task("listening to the recordings", total=len(recordings.sounds), unit="files") as task:
        for place, sound in enumerate(recordings.sounds):
            shares = _word_shares(classifier, sound, hop)
            taken = np.zeros(len(shares), np.bool_)
            for at in np.argsort(-shares, kind="stable").tolist():
                if shares[at] < _LEAST_PROBABILITY:
                    break
                if not taken[at]:
                    reach = length // 2 // hop
                    taken[max(0, at - reach) : at + reach + 1] = True
                    found.append((float(shares[at]), place, at * hop))
            task.advance()
    surest = sorted(found, key=lambda each: (-each[0], each[1], each[2]))[:most]
    return [(place, start) for _, place, start in surest]


def _word_shares(classifier: Classifier, sound: NDArray[np.int16], hop: int) -> NDArray[np.float64]:
    """The probability of the likeliest word at each whole window of a recording, (windows,)."""
    length = classifier.audio.clip_samples
    if len(sound) < length:
        return np.zeros(0)
    streaming = make_streaming(classifier.eval(), hop)
    if streaming is None:
        windows = np.lib.stride_tricks.sliding_window_view(sound, length)[::hop]
        logits = predict_logits(classifier, windows)
    else:
        heard = np.concatenate((np.zeros(streaming.lead, np.int16), sound))
        chunks = torch.from_numpy(heard[: len(heard) // hop * hop].reshape(-1, hop))
        state = tuple(torch.zeros(shape) for shape in streaming.state)
        made: list[torch.Tensor] = []
        with torch.inference_mode():
            for start in range(0, len(chunks), _CHUNKS):
                new, *after = streaming(samples_from_int16(chunks[start : start + _CHUNKS]), *state)
                made.append(new)
                state = tuple(after)
        logits = torch.cat(made)[streaming.first :].numpy()
    return softmax(logits)[:, : len(classifier.labels)].max(axis=1)
