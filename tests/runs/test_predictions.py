"""Answers as they are written are answers as they are read."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.audio import AudioFormat
from sayso.data.clips import Clip
from sayso.data.corpus import Corpus
from sayso.errors import RunError
from sayso.runs.predictions import PredictedClip, Predictions, read_predictions, write_predictions

LABELS = ("no, not", "yes")


def corpus():
    clips = (
        Clip("/a/yes/1.wav", "yes", "ann"),
        Clip('/a/no, "not"/2.wav', "no, not", None, start_seconds=0.25),
        Clip("/a/yes/3\r.wav", "yes", "ben"),
    )
    samples = np.zeros((3, 8), np.int16)
    return Corpus(clips, samples, AudioFormat(sample_rate=1000, clip_seconds=0.008), fingerprints=tuple("abc"))


@given(st.lists(st.floats(0, 1), min_size=3, max_size=3))
def test_what_is_read_is_what_was_written(tmp_path_factory, shares):
    path = tmp_path_factory.mktemp("run") / "predictions.csv"
    probabilities = np.array([[share, 1 - share] for share in shares])
    written = Predictions.of_rows(corpus(), np.array([2, 0, 1]), probabilities, LABELS)
    write_predictions(path, written)
    read = read_predictions(path)
    assert read.clips == written.clips
    assert read.predicted == written.predicted
    assert read.labels == LABELS
    np.testing.assert_allclose(read.probabilities, probabilities, rtol=1e-8, atol=1e-300)
    assert read.right.tolist() == written.right.tolist()


def test_what_is_told_of_a_clip():
    answers = Predictions.of_rows(corpus(), np.arange(3), np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7]]), LABELS)
    assert answers.clips[0] == PredictedClip("/a/yes/1.wav", "", "ann", "yes")
    assert answers.clips[1][1:3] == ("0.25", "")
    assert answers.predicted == ("no, not", "no, not", "yes")
    assert answers.right.tolist() == [False, True, True]


def test_they_are_a_table():
    shares = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7]])
    rows = Predictions.of_rows(corpus(), np.arange(3), shares, LABELS).rows()
    assert rows[0] == {
        "clip": "/a/yes/1.wav",
        "start_seconds": "",
        "speaker": "ann",
        "label": "yes",
        "predicted": "no, not",
        "probability": 0.9,
        "right": False,
    }
    assert [row["right"] for row in rows] == [False, True, True]


def test_a_notebook_shows_what_is_wrong_first_and_names_as_text():
    clips = (
        *(PredictedClip(f"{place}.wav", "", "ann", "yes") for place in range(70)),
        PredictedClip("<b>", "", "", "no"),
    )
    shares = np.tile([0.1, 0.9], (71, 1))
    shown = Predictions(clips, ("yes",) * 71, ("no", "yes"), shares)._repr_html_()
    assert "71 clips, 1 wrong, these first; 50 are shown" in shown
    first, *others = re.findall(r"<tr>(<td>.*?)</tr>", shown)
    assert first == "<td>&lt;b&gt;</td><td>no</td><td>yes</td><td>90.0%</td>"
    assert len(others) == 49


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is damaged"),
        ("clip,start_seconds,speaker,label,predicted,p(a),p(b)\n", "is damaged"),
        ("clip,start_seconds,speaker,label,predicted,p(a),p(b)\nx,,,a,a,1,nan\n", "is damaged"),
        ("clip,start_seconds,speaker,label,predicted,p(a),p(b)\nx,,,a,a,1\n", "is damaged"),
        ("clip,speaker,label,predicted,p(a),p(b)\nx,,a,a,1,0\n", "is damaged"),
        (None, "is not there"),
    ],
)
def test_a_damaged_file_is_told(tmp_path, text, says):
    path = tmp_path / "predictions.csv"
    if text is not None:
        path.write_text(text)
    with pytest.raises(RunError, match=says):
        read_predictions(path)
