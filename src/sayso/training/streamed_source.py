"""Features of streams to train on: computed once over each whole stream, and every window is a slice of them.

Of features that learn, what comes before the first weights that do is; the rest is computed of each window.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from sayso.audio import quantise
from sayso.classifier.kept_features import KeptFeatures
from sayso.classifier.module import samples_from_int16
from sayso.data.corpus import Rows
from sayso.dsp.streaming import StreamingFeature
from sayso.errors import Fault, SettingsError
from sayso.features import Feature
from sayso.metrics.detection import WITHIN_SECONDS
from sayso.recipe.prepared import Prepared
from sayso.recipe.recipe import Recipe
from sayso.recipe.training_streams import TrainingStream, count_streams, make_training_streams
from sayso.system.progress import Task
from sayso.training.feature_cache import check_room
from sayso.training.feature_source import FeatureSource, Heard

__all__ = ["StreamFeatures", "StreamedOthers", "StreamedWords"]

# A window names a word that ended at most so long before its end ...
_MOST_SECONDS = 0.4
# ... and from so shortly before a word's end, until that is too late for a detection, no window is none of the words.
_BEFORE_SECONDS = 0.2
_CHUNKS = 750
# By so much features move on that have no hop to set.
_EMBEDDING_SECONDS = 0.08
_MEASURED_BYTES = 2**27
# Streams are of nearly one length; what room is left over is never touched.
_ROOM = 1.2
_COPIES_SEED = 2**34

Change = Callable[[Float[Tensor, "batch samples"], torch.Generator], Tensor]


@dataclass(frozen=True, eq=False)
class StreamFeatures:
    """What `Feature.steady` gives of all streams behind one another, and where in them the windows lie."""

    frames: Float[Tensor, "frames numbers"]
    """float16, not normalised; the numbers of a frame are those of all channels and bins."""
    shape: tuple[int, int, int]
    """(channels, bins, frames) of a window."""
    first: NDArray[np.int64]
    """Frame at which the first window of a clip begins that names its word, (clips of the corpus, copies); -1: none."""
    count: NDArray[np.int64]
    """How many such windows follow one another, (clips of the corpus, copies)."""
    step: int
    """Frames from one window to the next."""
    others: NDArray[np.int64]
    """Frames at which windows begin that are none of the words, (windows,), rising."""
    heard: NDArray[np.int64]
    """Of each clip of the corpus in the streams its row, and the first and the last frame at which a window begins that
    hears something of it, (words, 3)."""

    @classmethod
    def of(cls, features: Feature, prepared: Prepared, change: Change, task: Task) -> "StreamFeatures":
        """Make the streams of a recipe, and represent them.

        Args:
            features: that represent streams as they do clips.
            prepared: the recipe with its clips.
            change: augments samples of clips.
            task: moves on by each stream.

        Raises:
            SettingsError: the features do not follow a stream, or take too much memory.
        """
        recipe, audio = prepared.recipe, prepared.corpus.audio
        hop = recipe.stream.hop_samples(audio.sample_rate)
        streaming, shape = features.steady_streaming(hop), features.steady_shape
        if streaming is None:
            raise SettingsError([_why_no_stream(features, recipe, audio.sample_rate)])
        first = np.full((len(prepared.corpus), recipe.training.copies or 1), -1, np.int64)
        count, others, begin = np.zeros_like(first), list[Rows](), 0
        frames = torch.empty(0, 0, dtype=torch.float16)
        heard = list[tuple[int, int, int]]()
        for stream in make_training_streams(prepared, _augmenting(change, recipe.training.seed)):
            part = _represent(features, streaming, stream.made.samples, audio.clip_samples, hop).half()
            if not begin:
                streams = count_streams(prepared)
                _check_size(prepared, part.nbytes * streams)
                frames = part.new_empty((round(_ROOM * len(part) * streams), part.shape[1]))
            if begin + len(part) > len(frames):
                frames = torch.cat((frames[:begin], part.new_empty((len(frames), part.shape[1]))))
            frames[begin : begin + len(part)] = part
            hops = (len(part) - shape[2]) // streaming.frames + 1
            place = _Windows.of(stream, hops, hop / audio.sample_rate)
            is_own = stream.rows >= 0
            own = stream.rows[is_own], stream.copies[is_own]
            first[own], count[own] = begin + place.first * streaming.frames, place.count
            others.append(begin + place.others * streaming.frames)
            for row, hops_heard in _hear(stream, hop, audio.clip_samples):
                heard.append((row, *(begin + hops_heard * streaming.frames).tolist()))
            begin += len(part)
            task.advance()
        spans = np.array(heard, np.int64).reshape(-1, 3)
        return cls(frames[:begin], shape, first, count, streaming.frames, np.concatenate(others), spans)

    def apart(self, starts: NDArray[np.int64], rows: Rows) -> NDArray[np.bool_]:
        """Tell which windows hear nothing of clips other than these rows of the corpus.

        Args:
            starts: frames at which they begin, rising.
            rows: of clips that may be heard.
        """
        apart = np.ones(len(starts), np.bool_)
        for _, first, last in self.heard[~np.isin(self.heard[:, 0], rows)].tolist():
            apart[np.searchsorted(starts, first) : np.searchsorted(starts, last, side="right")] = False
        return apart

    def windows(self, starts: NDArray[np.int64]) -> Float[Tensor, "batch channels bins frames"]:
        """Give the windows that begin at these frames."""
        channels, bins, length = self.shape
        taken = self.frames[torch.from_numpy(starts)[:, None] + torch.arange(length)].float()
        return taken.unflatten(2, (channels, bins)).permute(0, 2, 3, 1).contiguous()

    def of_words(
        self, rows: Rows, copy: int, generator: torch.Generator
    ) -> Float[Tensor, "batch channels bins frames"]:
        """Draw, for each of these clips, one of the windows that name its word."""
        drawn = torch.rand(len(rows), generator=generator).numpy()
        copy %= self.first.shape[1]
        offset = np.minimum((drawn * self.count[rows, copy]).astype(np.int64), self.count[rows, copy] - 1)
        return self.windows(self.first[rows, copy] + offset * self.step)

    def measured(self, rows: Rows) -> Iterator[Float[Tensor, "batch channels bins frames"]]:
        """Yield all frames, as windows that do not overlap, but where a clip is heard that is none of these rows."""
        length = self.shape[2]
        starts = np.arange(0, len(self.frames) - length + 1, length)
        starts = starts[self.apart(starts, rows)]
        at_a_time = max(1, _MEASURED_BYTES // (4 * self.frames.shape[1] * length))
        for begin in range(0, len(starts), at_a_time):
            yield self.windows(starts[begin : begin + at_a_time])


@dataclass(frozen=True)
class _Windows:
    """Which hops of one stream name its words, and which are none of them."""

    first: NDArray[np.int64]
    """Of each clip of the corpus in it the first hop, (words,)."""
    count: NDArray[np.int64]
    """How many there are, 1 at least, (words,)."""
    others: NDArray[np.int64]
    """(hops,), rising."""

    @classmethod
    def of(cls, stream: TrainingStream, hops: int, hop_seconds: float) -> "_Windows":
        """Find them, where one window of other sound stands before the stream."""
        times = np.arange(hops) * hop_seconds
        is_none = times <= stream.made.seconds
        first, count = list[int](), list[int]()
        for stretch, row in zip(stream.made.truth, stream.rows.tolist(), strict=True):
            if row < 0:
                continue
            after = times - stretch.end
            is_none &= (after < -_BEFORE_SECONDS) | (after > WITHIN_SECONDS)
            named = np.flatnonzero((after >= 0) & (after <= max(_MOST_SECONDS, hop_seconds)))
            if not len(named):
                problem = f"is {hop_seconds:g}, so long that no window follows a word of a training stream"
                raise SettingsError([Fault("stream.hop_seconds", f"{problem}; use less")])
            first.append(int(named[0]))
            count.append(len(named))
        return cls(np.array(first, np.int64), np.array(count, np.int64), np.flatnonzero(is_none))


def _why_no_stream(features: Feature, recipe: Recipe, rate: int) -> Fault:
    own_seconds = getattr(recipe.features, "hop_seconds", _EMBEDDING_SECONDS)
    if features.steady_streaming(max(1, round(own_seconds * rate))) is not None:
        problem = f"is {recipe.stream.hop_seconds:g}, but {recipe.features.kind} moves on by {own_seconds:g} s"
        return Fault("stream.hop_seconds", f"{problem}; use a multiple of that")
    problem = f"is streams, but {recipe.features.kind} as set here looks at a whole clip at once"
    return Fault("training.on", f"{problem}; use features of a stream (centre: false), or clips")


def _hear(stream: TrainingStream, hop: int, window: int) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """Yield of each clip of the corpus its row, and the first and the last hop whose window hears something of it.

    A clip at the stream's beginning or end is heard a second time, turned round, as `_represent` has it; in windows too
    that begin before the stream.
    """
    rate, length = stream.made.sample_rate, len(stream.made.samples)
    for clip, row in zip(stream.made.clips, stream.rows.tolist(), strict=True):
        if row < 0:
            continue
        start, end = clip[0] * rate, clip[1] * rate
        places = [(start, end)]
        if start < window:
            places.append((-end, -start))
        if end > length - window:
            places.append((2 * length - end, 2 * length - start))
        for first, last in places:
            yield row, np.array([np.floor(first / hop), np.ceil((last + window) / hop)], np.int64)


class StreamedWords:
    """The clips of the words as they stand in streams, for training; for scoring, as they are.

    Args:
        alone: the same clips, none of which trains.
        streams: in which those that train stand.
    """

    def __init__(self, alone: FeatureSource, streams: StreamFeatures) -> None:
        self._alone, self._streams = alone, streams

    @property
    def kept(self) -> KeptFeatures:
        """Features of the clips that are scored."""
        return self._alone.kept

    def measured(self, features: Feature, rows: Rows) -> Iterator[Float[Tensor, "batch channels bins frames"]]:
        """Yield what a normaliser is measured on: the streams."""
        yield from map(features.learned, self._streams.measured(rows))

    def for_training(
        self, features: Feature, rows: Rows, *, epoch: int, generator: torch.Generator, device: torch.device
    ) -> Heard:
        """Give for each of these clips a window that names its word."""
        return Heard(features.learned(self._streams.of_words(rows, epoch, generator).to(device)))

    def as_they_are(
        self, features: Feature, rows: Rows, device: torch.device
    ) -> Float[Tensor, "batch channels bins frames"]:
        """Give the features of clips alone."""
        return self._alone.as_they_are(features, rows, device)


class StreamedOthers:
    """Windows of streams in which no word has just ended, and sounds that are none of the words.

    Args:
        alone: these sounds.
        streams: whose windows they are; their rows follow those of the sounds.
        windows: so many of them are drawn in an epoch.
        rows: of clips of the corpus whose words may be heard in them, if only in part; None: of all.
    """

    def __init__(
        self, alone: FeatureSource, streams: StreamFeatures, windows: int, *, rows: Rows | None = None
    ) -> None:
        self._alone, self._streams, self._asked = alone, streams, windows
        every = np.arange(len(streams.others))
        self._drawn_from = every if rows is None else every[streams.apart(streams.others, rows)]
        self._windows = min(windows, len(self._drawn_from))

    def beside(self, rows: Rows) -> "StreamedOthers":
        """The same for a training on these clips alone: windows that hear something of another one are left out.

        Where another one is heard within a window that names a word, as a rare one does, it stays.
        """
        return StreamedOthers(self._alone, self._streams, self._asked, rows=rows)

    @property
    def kept(self) -> KeptFeatures:
        """Features of the sounds."""
        return self._alone.kept

    def draw(self, rng: np.random.Generator) -> Rows:
        """Rows for an epoch, in a drawn order."""
        chosen = self._drawn_from[rng.choice(len(self._drawn_from), self._windows, replace=False)]
        return rng.permutation(np.concatenate((self._alone.train, len(self._alone.samples) + chosen)))

    def for_training(
        self, features: Feature, rows: Rows, *, epoch: int, generator: torch.Generator, device: torch.device
    ) -> Heard:
        """Give the features of these rows."""
        is_window = rows >= len(self._alone.samples)
        starts = self._streams.others[rows[is_window] - len(self._alone.samples)]
        windows = features.learned(self._streams.windows(starts).to(device))
        if is_window.all():
            return Heard(windows)
        alone = self._alone.for_training(features, rows[~is_window], epoch=epoch, generator=generator, device=device)
        given = torch.empty(len(rows), *features.shape, device=device)
        given[torch.from_numpy(is_window).to(device)] = windows
        given[torch.from_numpy(~is_window).to(device)] = alone.features
        return Heard(given)


def _check_size(prepared: Prepared, size: int) -> None:
    """Check that so many bytes of features may be kept, once one of the streams tells how many they are."""
    copies, recordings = prepared.recipe.training.copies or 1, prepared.recordings
    hours = f", with {recordings.seconds / 3600:.1f} h of recordings," if recordings else ""
    what = f"is {copies}: streams of so many copies of {len(prepared.split.train):,} clips{hours}"
    check_room(size, what, "take fewer copies or recordings")


def _augmenting(change: Change, seed: int) -> Callable[[NDArray[np.int16], int], NDArray[np.float32]]:
    """Make the function that changes a stream's clips; each call draws anew."""
    calls = 0

    def augment(samples: NDArray[np.int16], copy: int) -> NDArray[np.float32]:
        nonlocal calls
        calls += 1
        drawn = np.random.SeedSequence((seed, _COPIES_SEED, copy, calls)).generate_state(1)[0]
        generator = torch.Generator().manual_seed(int(drawn))
        with torch.no_grad():
            return change(samples_from_int16(torch.from_numpy(samples)), generator).numpy()

    return augment


def _represent(
    features: Feature, streaming: StreamingFeature, samples: NDArray[np.float32], window: int, hop: int
) -> Float[Tensor, "frames numbers"]:
    """Represent a stream, with the beginning turned round before it and the end turned round behind it."""
    device = next(iter(features.buffers()), torch.zeros(0)).device
    around = np.concatenate((samples[:window][::-1], samples, samples[-window:][::-1]))
    heard = quantise(np.pad(around, (streaming.lead, 0)))
    chunks = heard[: len(heard) // hop * hop].reshape(-1, hop)
    state = [torch.zeros(shape, device=device) for shape in streaming.state]
    found: list[Tensor] = []
    with torch.inference_mode():
        for start in range(0, len(chunks), _CHUNKS):
            part = torch.from_numpy(chunks[start : start + _CHUNKS].reshape(1, -1)).to(device)
            new, *state = streaming(samples_from_int16(part), *state)
            found.append(new[0].permute(2, 0, 1).flatten(1).cpu())
    return torch.cat(found)[streaming.before :].clone()
