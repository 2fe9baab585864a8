"""What a model got wrong is kept with the recordings, trains with them, and is never validated or tested on."""

import json
import os

import numpy as np
import pytest

pytest.importorskip("starlette", reason="needs the extra serve")

import sayso
from sayso.audio import decode
from sayso.data.datasets.folder import FolderConfig, none_of_these
from sayso.errors import SettingsError
from sayso.recipe.source import find_recipe
from sayso.runs.predictions import read_predictions
from sayso.studio.recordings import Recordings
from sayso.system.progress import Progress
from studio_made import RATE, make_studio, send, told, word

SETTINGS = {"autoGainControl": False, "sampleRate": 44_100, "label": "a microphone"}
HEARD = {"word": "no", "score": 0.8, "run": "clips-1"}


@pytest.fixture
def studio(tmp_path):
    return make_studio(tmp_path)[0]


@pytest.fixture
def page(studio, tmp_path):
    page = make_studio(tmp_path)[1]
    assert page.put("/api/words", json={"words": [{"word": "yes"}, {"word": "on/off"}]}).status_code == 200
    return page


def correct(page, samples=None, *, rate=44_100, **facts):
    """Say that something was wrong, as the page does."""
    body = (word(rate=rate) if samples is None else samples).tobytes()
    given = {"word": "yes", "speaker": "Ann", "sample_rate": rate, "settings": SETTINGS, "heard": HEARD}
    return page.post("/api/corrections", content=body, headers=told(**given | facts))


def test_what_was_wrong_is_on_the_disk_when_it_is_answered(page, studio):
    answer = correct(page)
    assert answer.status_code == 201
    [take] = studio.recordings.corrections()
    assert (take.label, take.speaker, take.split) == ("yes", "Ann", "training only")
    assert take.path.startswith("_training_only_/yes/Ann/")
    assert take.take["settings"] == SETTINGS
    assert take.take["heard"] == HEARD
    samples, rate = decode(studio.recordings.folder / take.path)
    assert (rate, np.abs(samples - word(rate=44_100)).max() < 1 / 32768) == (44_100, True)
    assert studio.recordings.takes() == []
    state = page.get("/api/state").json()
    assert (state["clips"], state["corrections"]) == (0, 1)
    assert [each["clips"] for each in state["words"]] == [0, 0]


def test_the_audit_s_remarks_are_made_of_them_as_of_recorded_clips(page, studio):
    clear, quiet = word(rate=44_100), 0.001 * word(rate=44_100)
    cut = clear[:44_100]
    for samples, facts, remarks in (
        (clear, {}, []),
        (quiet, {}, ["Nothing is to be heard in it."]),
        (cut, {}, ["The word seems to be cut off at its end."]),
        # What says no word may begin and end anywhere.
        (clear[100:44_100], {"word": None, "speaker": "Ben"}, []),
        (clear, {}, ["It is the same recording as one before."]),
    ):
        assert correct(page, samples, **facts).json()["remarks"] == remarks
    told = [take.take.get("remarks", []) for take in studio.recordings.corrections()]
    assert sorted(map(len, told)) == [0, 0, 1, 1, 1]
    assert send(page, clear, rate=44_100).json()["remarks"] == ["It is the same recording as one before."]


def test_none_of_these_is_kept_apart_from_the_words(page, studio):
    assert correct(page, word=None).json()["word"] is None
    [take] = studio.recordings.corrections()
    assert take.path.startswith("_none_of_these_/Ann/")
    assert none_of_these(studio.recordings.folder) is not None


def test_they_are_listed_newest_first_heard_again_and_removed(page, studio):
    paths = [correct(page, word=said).json()["path"] for said in ("yes", None, "on/off")]
    listed = [clip["path"] for clip in page.get("/api/corrections").json()["clips"]]
    assert sorted(listed) == sorted(paths)
    assert [path.rpartition("/")[2] for path in listed] == sorted((p.rpartition("/")[2] for p in paths), reverse=True)
    assert page.get(f"/api/clips/{paths[0]}").content[:4] == b"fLaC"
    assert page.delete(f"/api/clips/{paths[0]}").json()["corrections"] == 2
    assert not (studio.recordings.folder / paths[0]).exists()


@pytest.mark.parametrize(
    ("facts", "sentence"),
    [
        ({"word": "maybe"}, "none of the words"),
        ({"word": 3}, "does not say its word"),
        ({"speaker": " "}, "A speaker is empty"),
        ({"speaker": None}, "does not say its speaker"),
        ({"sample_rate": "x"}, "does not say its sample_rate"),
        ({"sample_rate": 3}, "is not understood"),
        ({"samples": np.zeros(10, "<f4")}, "holds no word"),
        ({"samples": np.full(44_100, np.nan, "<f4")}, "is no sound"),
    ],
)
def test_what_is_no_clip_is_one_sentence_and_leaves_nothing(page, studio, facts, sentence):
    answer = correct(page, facts.pop("samples", None), **facts)
    assert answer.status_code in (400, 422)
    assert sentence in answer.json()["error"]
    assert studio.recordings.corrections() == []
    assert not list(studio.recordings.folder.rglob("*.flac"))


def test_a_full_disk_loses_none_that_was_acknowledged(page, studio, monkeypatch):
    assert correct(page).status_code == 201
    write = os.fsync

    def full(handle):
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "fsync", full)
    answer = correct(page)
    assert answer.status_code == 507, answer.text
    assert "disk is full, so this clip was not saved" in answer.json()["error"]
    monkeypatch.setattr(os, "fsync", write)
    [take] = studio.recordings.corrections()
    assert (studio.recordings.folder / take.path).is_file()


def test_a_word_that_has_some_stays_and_no_word_or_person_takes_their_folders(page, studio):
    correct(page)
    answer = page.put("/api/words", json={"words": [{"word": "on/off"}]})
    assert "'yes' has clips" in answer.json()["error"]
    studio.recordings.set_words([("yes", ""), ("on/off", ""), ("_training_only_", "")])
    take = studio.recordings.add("_training_only_", "Ann", word(), RATE, facts={})
    assert not take.path.startswith("_training_only_/")
    with pytest.raises(SettingsError, match="'_none_of_these_' cannot be a word"):
        studio.recordings.set_words([("_none_of_these_", "")])


@pytest.mark.usefixtures("few_voices")
@pytest.mark.parametrize("words", [("yes", "no"), ("yes", "on/off")])
def test_the_next_training_takes_them_and_never_tests_them(tmp_path, words):
    """By the folder where its names are plain, else by the manifest; each speaker is left out in turn."""
    recordings = Recordings(tmp_path / "clips")
    recordings.set_words([(name, "") for name in words])
    rng = np.random.default_rng(0)

    def said(name):
        hertz = {words[0]: 300.0, words[1]: 1_500.0}[name] * rng.uniform(0.9, 1.1)
        return word(hertz) + 0.002 * rng.standard_normal(2 * RATE).astype("<f4")

    for speaker in ("Ann", "Ben", "Cas"):
        for name in words:
            for _ in range(2):
                recordings.add(name, speaker, said(name), RATE, facts={})
    wrong = [
        recordings.add_correction(words[0], "Ann", said(words[0]), RATE, facts={}),
        recordings.add_correction(words[1], "Dee", said(words[1]), RATE, facts={}),
        recordings.add_correction(None, "Ben", said(words[1]), RATE, facts={}),
    ]
    source = recordings.training_source()
    assert (source == recordings.folder) == ("no" in words)
    listing = FolderConfig(path=str(source)).listing(Progress())
    assert sum(clip.keeps_part for clip in listing.clips) == 2
    brief = ["training.epochs=1", "training.threads=1", "training.copies=1"]
    _, recipe = find_recipe(source, brief, progress=Progress())
    assert recipe.split.by == "each_speaker"
    run = sayso.train(recipe, out=tmp_path / "run")
    tested = {each.clip for each in read_predictions(run.predictions_file).clips}
    assert len(tested) == 12
    assert not any(str(recordings.folder / take.path) in tested for take in wrong)
    notes = json.loads((tmp_path / "run" / "manifest.json").read_text())["notes"]
    assert "2 clips of 14 only train: none of them validates or is tested" in " ".join(notes)
    [negatives] = [note for note in notes if "train as none of the words" in note]
    assert " of other words (1 of them in _none_of_these_)" in negatives


def test_what_the_page_records_and_what_it_corrects_do_not_mix(page, studio):
    send(page, word())
    correct(page)
    assert [take.path.split("/")[0] for take in studio.recordings.takes()] == ["yes"]
    assert page.get("/api/state").json()["clips"] == 1
