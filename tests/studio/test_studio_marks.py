"""Marks of a report in the studio: written at once, on clips of this folder alone, and taken by the next training."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("starlette", reason="needs the extra serve")

from sayso.config.overrides import parse_overrides
from sayso.data.listed_clips import ListedClips
from sayso.data.marks import Mark, read_marks
from sayso.runs.predictions import PredictedClip, Predictions, write_predictions
from sayso.studio.marks import MarkedPage, Marks
from studio_made import make_studio, send, word

URL = "/api/runs/first/marks"


@pytest.fixture
def studio_and_page(tmp_path):
    studio, page = make_studio(tmp_path)
    page.put("/api/words", json={"words": [{"word": "yes"}, {"word": "no"}]})
    for label in ("yes", "no", "no"):
        send(page, word(), word=label)
    return studio, page


@pytest.fixture
def clips(studio_and_page, tmp_path):
    """A run that tested all clips, and one that lies elsewhere; gives their paths, that one last."""
    takes = studio_and_page[0].recordings.takes()
    paths = [str(tmp_path / "clips" / take.path) for take in takes] + [str(tmp_path / "voice.wav")]
    labels = [take.label for take in takes] + ["yes"]
    told = [PredictedClip(path, "", "Ann", label) for path, label in zip(paths, labels, strict=True)]
    shares = np.tile([0.25, 0.75], (len(told), 1))
    run = tmp_path / "runs" / "first"
    run.mkdir(parents=True)
    (run / "recipe.yaml").touch()
    write_predictions(run / "predictions.csv", Predictions(tuple(told), ("yes",) * len(told), ("no", "yes"), shares))
    return paths


def mark(clip, kind="exclude", label="", start=None):
    return {"clip": clip, "start_seconds": start, "mark": kind, "label": label}


def put(page, *marks):
    return page.put(URL, json={"marks": list(marks)})


def test_marks_are_in_the_folder_when_they_are_answered(studio_and_page, clips):
    studio, page = studio_and_page
    assert page.get(URL).json() == {"marks": []}
    wanted = [mark(clips[0]), mark(clips[1], "relabel", "yes")]
    assert put(page, *wanted).json() == {"marks": wanted}
    assert page.get(URL).json() == {"marks": wanted}
    first, second, _ = (take.path for take in studio.recordings.takes())
    assert read_marks(studio.marks.path) == (Mark(first, None, "exclude"), Mark(second, None, "relabel", "yes"))
    assert put(page, wanted[1]).json() == {"marks": [wanted[1]]}
    assert put(page).json() == {"marks": []}


def test_the_next_training_takes_them_and_forgets_those_on_clips_that_are_gone(studio_and_page, clips):
    studio, page = studio_and_page
    assert "--set" not in studio.wanted({}).arguments
    put(page, mark(clips[0]), mark(clips[1], "relabel", "yes"))
    arguments = studio.wanted({}).arguments
    given = [arguments[place + 1] for place, each in enumerate(arguments) if each == "--set"]
    table = str(studio.marks.path)
    assert parse_overrides(given) == {"dataset": {"exclude": table, "relabel": table}}
    gone = studio.recordings.takes()[0].path
    assert page.delete(f"/api/clips/{gone}").status_code == 200
    assert studio.wanted({}).overrides == (f"dataset.relabel={table}",)
    assert [each.mark for each in read_marks(studio.marks.path)] == ["relabel"]


def test_nothing_but_tested_clips_of_this_folder_is_marked(studio_and_page, clips, tmp_path):
    studio, page = studio_and_page
    put(page, mark(clips[0]))
    for odd, told in (
        (mark(clips[-1]), "Only recordings of this folder can be marked"),
        (mark(str(tmp_path / "clips" / ".." / "voice.wav")), "on no clip that this run tested"),
        (mark(clips[0], start=1.0), "on no clip that this run tested"),
        (mark(clips[0], start="soon"), "on no clip that this run tested"),
        (mark(clips[0], "relabel", "maybe"), "'maybe' is none of this run's words"),
        (mark(clips[0], "delete"), "is none of this run's words"),
        (mark(clips[0], "relabel", ["yes"]), "is none of this run's words"),
        (mark([1]), "on no clip that this run tested"),
        ("exclude", "on no clip that this run tested"),
    ):
        answer = put(page, odd)
        assert answer.status_code == 400, odd
        assert told in answer.json()["error"]
    assert "does not say its marks" in page.put(URL, json={"marks": {}}).json()["error"]
    assert page.put("/api/runs/none/marks", json={"marks": []}).status_code == 409
    assert [each.mark for each in read_marks(studio.marks.path)] == ["exclude"]
    assert page.put(URL, json={"marks": []}, headers={"origin": "http://evil.example"}).status_code == 403


def test_a_folder_that_is_named_by_the_one_above_can_be_marked(tmp_path, monkeypatch):
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    clip = str(tmp_path / "clips" / "yes" / "a.wav")
    page = MarkedPage(ListedClips({(clip, None): "test"}, ["no", "yes"]))
    marks = Marks(Path("../clips"))
    (tmp_path / "clips").mkdir()
    assert marks.write(page, [mark(clip)])[0]["clip"] == clip
