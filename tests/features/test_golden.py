"""Every representation against librosa and SciPy: the arrays of `golden/make.py`, in torch and as exported."""

import logging
import warnings
from functools import cache

import numpy as np
import onnxruntime
import pytest
import torch

from golden.cases import BINS_DB, CASES, FOLDER, LOGARITHMS, SOUNDS, cases_of, samples_of
from sayso.audio import AudioFormat
from sayso.classifier import graph
from sayso.config.schema import read
from sayso.features import FEATURES

PAIRS = [(sound, case) for sound in SOUNDS for case in cases_of(sound)]
# Of each clip's largest value for linear features; in decibels and nepers for logarithms.
LINEAR, LOGARITHM, ROUNDING = 1e-5, 1e-3, np.finfo(np.float32).eps


def samples_or_skip(sound):
    samples = samples_of(sound)
    if samples is None:
        pytest.skip(f"needs SAYSO_DATA with {SOUNDS[sound][1]}")
    return samples


def golden(sound, case):
    with np.load(FOLDER / f"{sound}.npz") as arrays:
        return arrays[case].astype(np.float64)


def built(sound, case):
    rate, _, _, count = SOUNDS[sound]
    kind, keys = CASES[case]
    audio = AudioFormat(sample_rate=rate, clip_seconds=count / rate)
    config = read(FEATURES.get(kind), keys)
    assert not list(config.misfits(audio))
    return config.build(audio).eval()


def differs(out, expected, case):
    """Largest difference, as a share of the limit."""
    assert out.shape == expected.shape
    limit = np.full(out.shape, LOGARITHM if case in LOGARITHMS else LINEAR * np.abs(expected).max())
    if case in BINS_DB:
        # What one float32 rounding of the clip's largest magnitude makes of a bin so far below it.
        limit += 20 * np.log10(1 + ROUNDING * 10 ** ((expected.max() - expected) / 20))
    return (np.abs(out - expected) / limit).max()


@pytest.mark.parametrize(("sound", "case"), PAIRS, ids=lambda name: name)
def test_float32(sound, case):
    samples = torch.from_numpy(samples_or_skip(sound)).float()[None]
    assert differs(built(sound, case)(samples)[0].numpy(), golden(sound, case), case) <= 1


@pytest.mark.parametrize("case", [case for case in cases_of("synthetic") if case != "picture"])
def test_float64_is_exact(case):
    samples = torch.from_numpy(samples_of("synthetic"))[None]
    module = built("synthetic", case).double()
    out, expected = module(samples)[0], golden("synthetic", case)
    assert out.dtype == torch.float64
    np.testing.assert_allclose(out.numpy(), expected, rtol=0, atol=1e-11 * np.abs(expected).max())


class Together(torch.nn.Module):
    """All cases of one sound in one graph, which takes one export instead of fifteen."""

    def __init__(self, sound):
        super().__init__()
        self.features = torch.nn.ModuleList([built(sound, case) for case in cases_of(sound)])

    def forward(self, samples):
        return tuple(feature(samples) for feature in self.features)


def graph_of(sound):
    """The sound with the most cases among those of the same rate and length, which can share its graph."""
    alike = [name for name in SOUNDS if (SOUNDS[name][0], SOUNDS[name][3]) == (SOUNDS[sound][0], SOUNDS[sound][3])]
    return max(alike, key=lambda name: len(cases_of(name)))


@pytest.fixture(scope="module")
def graphs(tmp_path_factory):
    """Give the runtime's session of a graph, made when it is first asked for."""

    @cache
    def session(sound):
        path = tmp_path_factory.mktemp("golden") / f"{sound}.onnx"
        write_graph(sound, path)
        return onnxruntime.InferenceSession(path)

    return session


def write_graph(sound, path):
    logging.getLogger("torch.onnx._internal.exporter._registration").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            Together(sound),
            (torch.zeros(2, SOUNDS[sound][3]),),
            dynamo=True,
            opset_version=graph.OPSET,
            input_names=["samples"],
            dynamic_shapes=({0: torch.export.Dim("batch")},),
            verbose=False,
            optimize=False,
        )
    graph._simplify(program.model)
    path.write_bytes(program.model_proto.SerializeToString())


@pytest.mark.parametrize("sound", [*list(SOUNDS)[:-1], pytest.param("yes", marks=pytest.mark.slow)])
def test_exported(sound, graphs):
    samples = samples_or_skip(sound).astype(np.float32)[None]
    shared = graph_of(sound)
    outputs = dict(zip(cases_of(shared), graphs(shared).run(None, {"samples": samples}), strict=True))
    shares = {case: differs(outputs[case][0], golden(sound, case), case) for case in cases_of(sound)}
    assert {case: share for case, share in shares.items() if share > 1} == {}
