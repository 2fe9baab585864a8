"""Scattering against Kymatio's NumPy front end, at work, in float64 and exported."""

import warnings
from itertools import pairwise

import numpy as np
import onnxruntime
import pytest
import torch

from golden.scattering_cases import CASES, FOLDER, name_of, samples_of
from sayso.audio import AudioFormat, clip_from_file
from sayso.data.datasets.fsdd import FsddConfig
from sayso.dsp.wavelets import gauss_response, morlet_response, padding, short_padding, wavelets
from sayso.features.scattering import Scattering, ScatteringConfig
from sayso.system.progress import Progress


def build(case):
    config = ScatteringConfig(
        max_scale_log2=case["J"],
        wavelets_per_octave=case["Q"],
        window_samples=case["T"],
        zeroth_order=True,
        scale="linear",
    )
    return Scattering(config, case["samples"])


def error(ours, case):
    golden = np.load(FOLDER / "scattering.npz")[name_of(case)].astype(np.float64)
    ours = ours[:, :: case["every"]]
    assert ours.shape == golden.shape
    return np.linalg.norm(ours - golden) / np.linalg.norm(golden)


def needs(case):
    samples = samples_of(case)
    if samples is None:
        pytest.skip(f"needs SAYSO_DATA with the clip {case['sound']}")
    return torch.from_numpy(samples)[None]


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_float64_is_kymatios_to_1e_6(case):
    samples = needs(case)
    assert error(build(case).double()(samples)[0, 0].numpy(), case) <= 1e-6


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_float32_is_kymatios_to_1e_4(case):
    samples = needs(case)
    assert error(build(case)(samples.float())[0, 0].numpy(), case) <= 1e-4


@pytest.mark.skipif(FsddConfig().location() is None, reason="needs SAYSO_DATA with fsdd")
def test_float32_is_float64_to_1e_4_on_every_digit_and_speaker():
    audio = AudioFormat(sample_rate=8000, clip_seconds=1.024)
    config = ScatteringConfig(max_scale_log2=8, wavelets_per_octave=12, scale="linear")
    paths = [clip.path for clip in FsddConfig().listing(Progress()).clips[::50]]
    samples = torch.from_numpy(np.stack([clip_from_file(path, audio) for path in paths])) / 2**15
    coarse, exact = config.build(audio)(samples), config.build(audio).double()(samples.double())
    errors = torch.linalg.vector_norm(coarse - exact, dim=(1, 2, 3)) / torch.linalg.vector_norm(exact, dim=(1, 2, 3))
    assert errors.max() <= 1e-4


# Thousands of steps to trace, half a minute for the tutorial's size. That a graph gives what torch gives is tried for
# every feature, and that torch gives what Kymatio gives above.
@pytest.mark.slow
@pytest.mark.parametrize("case", [CASES[0], CASES[3]], ids=name_of)
def test_the_exported_graph_is_kymatios_to_1e_4(case, tmp_path):
    samples = needs(case).float()
    shapes = ({0: torch.export.Dim("batch")},)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's exporter uses names of its own that are moving
        program = torch.onnx.export(
            build(case).eval(), (samples.repeat(2, 1),), dynamo=True, dynamic_shapes=shapes, verbose=False
        )
    program.save(tmp_path / "scattering.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "scattering.onnx", providers=["CPUExecutionProvider"])
    (out,) = session.run(None, {session.get_inputs()[0].name: samples.numpy()})
    assert error(out[0, 0].astype(np.float64), case) <= 1e-4


def test_the_tutorials_shape():
    made = ScatteringConfig().build(AudioFormat(sample_rate=8000, clip_seconds=1.024))
    assert made.shape == (1, 336, 32)
    averaged = ScatteringConfig(average_time=True).build(AudioFormat(sample_rate=8000, clip_seconds=1.024))
    assert averaged.shape == (1, 336, 1)
    alone = ScatteringConfig(max_order=1).build(AudioFormat(sample_rate=8000, clip_seconds=1.024))
    assert alone.shape == (1, 76, 32)


def test_a_shift_by_one_frame_shifts_the_frames():
    config = ScatteringConfig(max_scale_log2=5, wavelets_per_octave=4, scale="linear")
    scattering = Scattering(config, 2048).double()
    burst = torch.zeros(1, 2048, dtype=torch.float64)
    burst[:, 900:1100] = torch.randn(200, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    moved = scattering(burst.roll(32, dims=1))
    torch.testing.assert_close(moved[..., 5:-5], scattering(burst)[..., 4:-6], rtol=1e-6, atol=1e-9)


def test_silence_is_zero_and_louder_is_more():
    scattering = Scattering(ScatteringConfig(max_scale_log2=5, wavelets_per_octave=4, scale="linear"), 1024)
    assert scattering(torch.zeros(1, 1024)).abs().max() == 0
    noise = torch.randn(1, 1024, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(scattering(3 * noise), 3 * scattering(noise), rtol=1e-4, atol=1e-6)


def test_gradients_are_right():
    config = ScatteringConfig(max_scale_log2=3, wavelets_per_octave=2, scale="linear")
    scattering = Scattering(config, 64).double()
    samples = torch.randn(1, 64, dtype=torch.float64, generator=torch.Generator().manual_seed(0), requires_grad=True)
    assert torch.autograd.gradcheck(scattering, samples, fast_mode=True)


@pytest.mark.parametrize(
    ("keys", "key"),
    [({"max_scale_log2": 14}, "max_scale_log2"), ({"window_samples": 9000}, "window_samples")],
)
def test_scales_longer_than_the_clip_are_told(keys, key):
    faults = list(ScatteringConfig(**keys).misfits(AudioFormat(sample_rate=8000)))
    assert [fault.key for fault in faults] == [key]


def test_wavelets_cover_the_octaves_and_have_no_mean():
    found = wavelets(12, 8)
    assert len(found) == 76
    assert all(one.centre > other.centre for one, other in pairwise(found))
    response = morlet_response(1024, 0.2, 0.02)
    assert abs(response[0]) < 1e-12
    assert int(response.argmax()) == round(0.2 * 1024)
    assert gauss_response(1024, 0.01)[0] == pytest.approx(1)
    assert padding(8192, 256).length == 16384


@pytest.mark.parametrize(("samples", "window", "scale"), [(8192, 256, 8), (5847, 24, 3), (3000, 64, 9), (100, 1, 2)])
def test_a_short_padding_has_the_frames_of_kymatios(samples, window, scale):
    whole, short = padding(samples, window), short_padding(samples, window, max_scale_log2=scale)
    stride = 2 ** int(np.log2(window))
    assert short.length <= whole.length
    assert short.length % (2 * stride) == 0
    assert short.frames == whole.frames
    assert short.first_frame * stride - short.left == whole.first_frame * stride - whole.left
    assert short.left + samples + short.right == short.length
    assert max(short.left, short.right) < samples


def test_the_tutorials_padding_is_a_quarter_shorter():
    assert short_padding(8192, 256, max_scale_log2=8).length == 12288
