"""A model as C: compiled by the system's compiler, and held against onnxruntime."""

import subprocess

import numpy as np
import pytest

from c_made import make_small_model
from sayso.delivery.c import export_c
from sayso.delivery.c.measure import find_compiler
from sayso.runtime.stream import Stream
from streams_made import sound

needs_compiler = pytest.mark.skipif(find_compiler() is None, reason="there is no C compiler here (cc, gcc, clang)")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return make_small_model(tmp_path_factory.mktemp("small"))


def answers(folder, samples):
    """What the program says of each hop, (hops, classes), and the words it detects, with their times."""
    subprocess.run(["make", "--silent", "--directory", folder, "listen"], check=True, capture_output=True)
    told = subprocess.run([folder / "listen", "--hops"], input=samples.tobytes(), check=True, capture_output=True)
    rows = [line.split() for line in told.stdout.decode().splitlines()]
    hops = [[float(each) for each in row[1:]] for row in rows if "." not in row[0]]
    words = [(float(row[0]), row[1]) for row in rows if "." in row[0]]
    return np.array(hops), words


@pytest.mark.slow
@needs_compiler
@pytest.mark.parametrize(("weights", "limit"), [("float", 1e-4)])
def test_every_hop_is_answered_as_by_onnxruntime(model, tmp_path, weights, limit):
    done = export_c(model, tmp_path / "c", weights=weights)
    samples = (sound(6) * 32767).astype(np.int16)
    hops, _ = answers(done.folder, samples)
    found = Stream(model).answer(samples)
    expected = np.log(found.probabilities)
    assert len(hops) == len(expected)
    centred = [each - each.mean(axis=1, keepdims=True) for each in (hops, expected)]
    assert np.abs(centred[0] - centred[1]).max() <= limit
    assert np.ptp(expected, axis=0).max() > 0.5
