"""Audits and comparisons in the studio: made in the background, found again, and their clips marked at once."""

import itertools
import json
import os
import shutil
import time
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("starlette", reason="needs the extra serve")

from sayso.data.listed_clips import ListedClips, write_listed_clips
from sayso.data.marks import Mark, read_marks, write_marks
from sayso.runs.predictions import PredictedClip, Predictions, write_predictions
from sayso.system.files import write_text
from studio_made import make_studio_of_tones

WAIT_SECONDS = 120


@pytest.fixture
def studio_and_page(tmp_path, monkeypatch):
    """A studio over tones of four speakers, in the folder where it was started; and its page."""
    monkeypatch.chdir(tmp_path)
    studio, page = make_studio_of_tones(tmp_path)
    yield studio, page
    studio.close()


@pytest.fixture
def studio(studio_and_page):
    return studio_and_page[0]


@pytest.fixture
def page(studio_and_page):
    return studio_and_page[1]


def wait(page, path):
    end = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < end:
        state = page.get(path).json()
        if state["state"] not in ("running", "stopping"):
            return state
        time.sleep(0.1)
    raise AssertionError(state)


def write_audit(folder, clips, *, source="", labels=("low", "high")):
    """What `sayso audit` leaves, as far as the studio reads it."""
    folder.mkdir(parents=True)
    write_text(folder / "audit.html", f"<h1>{folder.name}</h1>")
    parts = {(str(clip), None): "" for clip in clips}
    write_listed_clips(folder, ListedClips(parts, labels, str(source), 48))


def mark(clip, kind="exclude", label=""):
    return {"clip": str(clip), "start_seconds": None, "mark": kind, "label": label}


def test_an_audit_is_made_heard_and_marked(page, studio, tmp_path):
    assert page.get("/api/audits").json() == {"pages": [], "why_not": ""}
    assert page.get("/api/audit").json() == {"state": "none"}
    started = page.post("/api/audit", json={}).json()
    assert started["state"] == "running"
    again = page.post("/api/audit", json={})
    assert (again.status_code, again.json()["error"].startswith("An audit is running")) == (409, True)
    state = wait(page, "/api/audit")
    assert state["state"] == "finished", state
    [made] = page.get("/api/audits").json()["pages"]
    assert made == {"name": state["name"], "clips": 36}
    assert (tmp_path / "audits" / made["name"] / "findings.csv").is_file()
    shown = page.get(f"/audits/{made['name']}/page.html")
    assert "sandbox allow-scripts" in shown.headers["content-security-policy"]
    facts = json.loads(shown.text.partition('id="clips">')[2].partition("</script>")[0])
    clip, url = facts["folder"] + facts["rows"][0][0], f"/api/audits/{made['name']}/marks"
    assert Path(clip).is_file()
    assert page.get(url).json() == {"marks": []}
    assert page.put(url, json={"marks": [mark(clip)], "before": []}).json() == {"marks": [mark(clip)]}
    [kept] = read_marks(studio.marks.path)
    assert (tmp_path / "clips" / kept.clip, kept.mark, kept.part) == (tmp_path / clip, "exclude", "")
    assert studio.wanted({}).overrides == (f"dataset.exclude={studio.marks.path}",)


def test_what_two_browsers_mark_stays(page, studio, tmp_path):
    clips = sorted((tmp_path / "clips").glob("*/*/*.wav"))
    write_audit(tmp_path / "audits" / "a", clips[:4])
    write_marks(studio.marks.path, [Mark(str(clips[5].relative_to(tmp_path / "clips")), None, "exclude", part="test")])
    url = "/api/audits/a/marks"
    one, two, three = mark(clips[0]), mark(clips[1], "relabel", "low"), mark(clips[2])
    page.put(url, json={"marks": [one], "before": []})
    # The other browser has not heard of that, and marks two; then takes one of them back.
    assert page.put(url, json={"marks": [two, three], "before": []}).json()["marks"] == [one, three, two]
    assert page.put(url, json={"marks": [two], "before": [two, three]}).json()["marks"] == [one, two]
    again = mark(clips[0], "relabel", "high")
    assert page.put(url, json={"marks": [again, two], "before": [one, two]}).json()["marks"] == [again, two]
    assert page.put(url, json={"marks": [], "before": [again, two]}).json()["marks"] == []
    assert len(read_marks(studio.marks.path)) == 1
    for odd in ({"marks": [], "before": "all"}, {"marks": [], "before": {}}, {}):
        assert "does not say its marks" in page.put(url, json=odd).json()["error"]
    assert page.put(url, json={"marks": [], "before": ["what", {"clip": [1]}, two]}).json() == {"marks": []}


def test_audits_of_other_recordings_and_damaged_ones_are_not_shown(page, tmp_path):
    mine = tmp_path / "clips" / "low" / "a" / "0.wav"
    write_audit(tmp_path / "audits" / "of-nothing-listed", [], source=tmp_path / "clips")
    write_audit(tmp_path / "audits" / "of-its-manifest", [], source=tmp_path / "clips" / "clips.jsonl")
    write_audit(tmp_path / "audits" / "by-its-clips", [mine], source=tmp_path / "a-recipe.yaml")
    write_audit(tmp_path / "audits" / "other", [tmp_path / "clipsize" / "0.wav"], source=tmp_path / "clipsize")
    write_audit(tmp_path / "audits" / "unfinished", [mine])
    (tmp_path / "audits" / "unfinished" / "audit.html").unlink()
    write_audit(tmp_path / "audits" / "earlier", [mine])
    (tmp_path / "audits" / "earlier" / "clips.json").unlink()
    for number, damage in enumerate(("", "{}", "[]", '{"clips": [1], "labels": []}', '{"clips": [[1, "x", 2]]}')):
        write_audit(tmp_path / "audits" / f"damaged-{number}", [mine])
        write_text(tmp_path / "audits" / f"damaged-{number}" / "clips.json", damage)
    names = {each["name"] for each in page.get("/api/audits").json()["pages"]}
    assert names == {"of-nothing-listed", "of-its-manifest", "by-its-clips"}
    for name in ("other", "unfinished", "earlier", "damaged-0", "..", "none"):
        for path in (f"/audits/{name}/page.html", f"/api/audits/{name}/marks"):
            assert page.get(path).status_code == 404
    shutil.rmtree(tmp_path / "audits" / "by-its-clips")
    gone = page.put("/api/audits/by-its-clips/marks", json={"marks": []})
    assert (gone.status_code, gone.json()["error"]) == (404, "There is no such audit; it was removed, or never there")


def test_an_audit_is_cancelled_and_what_stops_one_is_told(page, tmp_path):
    page.post("/api/audit", json={})
    # One that had hardly begun may have ended before it is asked how it goes.
    assert page.delete("/api/audit").json()["state"] in ("stopping", "stopped")
    assert wait(page, "/api/audit")["state"] == "stopped"
    assert page.get("/api/audits").json()["pages"] == []
    assert not list((tmp_path / "audits").glob("*"))
    for file in (tmp_path / "clips").glob("*/*/*.wav"):
        file.write_bytes(b"no sound")
    page.post("/api/audit", json={})
    state = wait(page, "/api/audit")
    assert state["state"] == "failed"
    assert "can be read" in state["why"]
    assert page.get("/api/state").json()["clips"] == 36


def write_run(folder, clips, *, heard="high"):
    """A finished run that tested some clips, as far as it is looked at before it is compared."""
    folder.mkdir(parents=True)
    write_text(folder / "recipe.yaml", f"dataset: {{kind: folder, path: {folder.parents[1] / 'clips'}}}\n")
    write_text(folder / "manifest.json", '{"finished": true}')
    (folder / "model.onnx").touch()
    told = tuple(PredictedClip(str(clip), "", clip.parent.name, clip.parents[1].name) for clip in clips)
    shares = np.tile([0.75, 0.25], (len(told), 1))
    write_predictions(folder / "predictions.csv", Predictions(told, (heard,) * len(told), ("high", "low"), shares))
    os.utime(folder / "recipe.yaml", ns=(0, next(_later)))


_later = itertools.count(10**18, 10**9)


def test_the_last_trainings_of_these_recordings_are_compared(page, studio, tmp_path):
    clips, runs = sorted((tmp_path / "clips").glob("*/*/*.wav")), tmp_path / "runs"

    def why_not():
        return page.get("/api/comparisons").json()["why_not"]

    assert "no training has ended so far" in why_not()
    write_run(runs / "other", clips[:6])
    assert "one training has ended so far" in why_not()
    refused = page.post("/api/comparison", json={})
    assert (refused.status_code, "takes two finished trainings" in refused.json()["error"]) == (404, True)
    write_run(runs / "apart", clips[6:9])
    assert "apart was tested on no clip that an earlier training was tested on" in why_not()
    for number in range(5):
        write_run(runs / f"run-{number}", clips[3:8])
    assert why_not() == ""
    # The newest first; `apart` has clips of its own in common, `other` none that all have by then.
    made = studio.made[1]
    assert [Path(each).name for each in made.command()[1:]] == ["run-4", "run-3", "run-2", "run-1", "run-0"]
    for number in range(1, 4):
        shutil.rmtree(runs / f"run-{number}")
    assert [Path(each).name for each in made.command()[1:]] == ["run-4", "run-0", "apart"]
    write_text(runs / "run-0" / "predictions.csv", "damaged")
    write_text(runs / "apart" / "manifest.json", '{"finished": false}')
    assert [Path(each).name for each in made.command()[1:]] == ["run-4", "other"]


@pytest.mark.parametrize("damage", ["no recordings", "audits are a file"])
def test_a_folder_that_cannot_be_read_or_written_is_one_sentence(page, tmp_path, damage):
    if damage == "no recordings":
        shutil.rmtree(tmp_path / "clips")
    else:
        (tmp_path / "audits").touch()
    assert page.get("/api/audits").json()["pages"] == []
    assert page.post("/api/audit", json={}).status_code == 200
    state = wait(page, "/api/audit")
    assert state["state"] == "failed"
    assert ("clips" if damage == "no recordings" else "audits") in state["why"]
    assert not any("Traceback" in line for line in state["lines"])
    assert page.get("/api/state").status_code == 200
