"""A run scored on recordings of another source: the right clips, the right words, and what it shares with them."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from conftest import write_tones
from runs_made import small_run
from sayso.classifier.inference import predict_probabilities
from sayso.data.datasets import find_dataset
from sayso.errors import DataError, SettingsError
from sayso.evaluation.model_scores import score_rows
from sayso.recipe.prepared import prepare
from sayso.system.progress import Progress

PATTERN = r"speaker_pattern=/(?P<speaker>[a-z]+)_\d"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A run of tones by four speakers, in a cache of its own."""
    root = tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SAYSO_CACHE", str(root / "cache"))
        return small_run(write_tones(root / "tones"), root / "run", epochs=12, learning_rate=2e-2)


def others(folder, *more):
    return find_dataset(str(folder), ["speaker=pattern", PATTERN, *more])


@pytest.fixture
def strangers(tmp_path):
    """The same tones by two other speakers."""
    return write_tones(tmp_path / "strangers", speakers=("eve", "fay"), seed=7)


def test_strangers_are_scored_as_their_own_folder_would_be(made, strangers):
    found = made.evaluate_on(others(strangers))
    assert found.scores["n"] == 18
    assert set(found.scores["per_speaker"]) == {"eve", "fay"}
    assert found.speakers_shared == 0
    corpus = prepare(replace(made.settings, dataset=others(strangers)), Progress()).corpus
    rows = np.arange(len(corpus))
    classifier = made.classifier()
    direct = score_rows(corpus, rows, predict_probabilities(classifier, corpus, rows), classifier.labels)
    assert found.scores == direct


def test_words_by_other_names_are_translated_and_unknown_ones_left_out(made, strangers):
    (strangers / "low").rename(strangers / "deep")
    (strangers / "middle").rename(strangers / "medium")
    found = made.evaluate_on(others(strangers), words={"deep": "low"})
    assert {word for word, row in found.scores["per_class"].items() if row["n"]} == {"high", "low"}
    assert found.scores["n"] == 12
    assert found.notes[0] == "6 clips of words that the run does not know were left out (medium)"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ({"hgh": "high"}, r"map: no clips of 'hgh' are there; did you mean 'high'"),
        ({"high": "hihg"}, r"map: the run has no word 'hihg'; did you mean 'high'"),
    ],
)
def test_translations_that_name_nothing(made, strangers, words, says):
    with pytest.raises(SettingsError, match=says):
        made.evaluate_on(others(strangers), words=words)


def test_no_common_word_and_no_such_part(made, strangers):
    for word in ("high", "low", "middle"):
        (strangers / word).rename(strangers / f"{word}er")
    with pytest.raises(DataError, match=r"none of their words \(higher, lower, middleer\) is one of the run's"):
        made.evaluate_on(others(strangers))
    with pytest.raises(DataError, match="name no test clips of their own"):
        made.evaluate_on(others(strangers), part="test")


def test_a_clip_that_was_trained_on_stops_the_score_unless_it_is_allowed(made, strangers, program):
    prepared = prepare(made.settings, Progress())
    heard = prepared.corpus.clips[prepared.split.train[0]]
    copy = strangers / heard.label / "eve_9.wav"
    assert made.evaluate_on(others(strangers)).copies == 0
    shutil.copy(heard.path, copy)
    with pytest.raises(
        DataError, match="1 clip to score has the very samples of a training or validation clip"
    ) as told:
        made.evaluate_on(others(strangers))
    advised = f'allow_copies=["{heard.label}/{copy.name}"]'
    assert f"leave them out (exclude), or allow them: --set '{advised}'" in str(told.value)
    found = made.evaluate_on(others(strangers, f'allow_copies=["{copy.name}"]'))
    assert any("1 clip to score is exactly copied in training, as allowed" in note for note in found.notes)
    assert found.copies == 1
    allowed = ["--set", "speaker=pattern", "--set", PATTERN, "--set", advised]
    code, out, _ = program("evaluate", made.path, "--on", strangers, *allowed)
    assert code == 0
    assert "other recordings than it was trained from, but for 1 clip" in out.splitlines()[0]


def test_what_a_source_allows_by_itself_is_no_leave_to_score_clips_that_were_trained_on(made, tmp_path, monkeypatch):
    """Speech Commands allows repeats among its own parts, by names that all of its clips have."""
    prepared = prepare(made.settings, Progress())
    words = {"no": "low", "up": "middle", "go": "high"}
    for word, label in words.items():
        heard = next(clip for row in prepared.split.train if (clip := prepared.corpus.clips[row]).label == label)
        folder = tmp_path / "speech_commands_v0.01" / word
        folder.mkdir(parents=True)
        shutil.copy(heard.path, folder / "0a7c2a8d_nohash_0.wav")
    monkeypatch.setenv("SAYSO_DATA", str(tmp_path))
    with pytest.raises(DataError, match="3 clips to score have the very samples of a training or validation clip"):
        made.evaluate_on(find_dataset("speech_commands", []), words=words)
    assert made.evaluate_on(find_dataset("speech_commands", ['allow_copies=["*"]']), words=words).copies == 3


def test_the_same_people_are_said(made, tmp_path):
    found = made.evaluate_on(others(write_tones(tmp_path / "again", seed=5)))
    assert found.speakers_shared == len({clip.speaker for clip in trained_clips(made)})
    assert "bear the name of one heard in training" in found.notes[-1]


def trained_clips(run):
    prepared = prepare(run.settings, Progress())
    return [prepared.corpus.clips[row] for row in prepared.split.train]


def test_without_the_training_clips_copies_cannot_be_looked_for_and_that_is_said(tmp_path, strangers, program):
    folder = write_tones(tmp_path / "tones")
    run = small_run(folder, tmp_path / "run")
    moved = folder.rename(tmp_path / "elsewhere")
    with pytest.raises(DataError, match="these are the very clips that it was trained from, in another place"):
        run.evaluate_on(others(moved))
    shutil.rmtree(moved)
    said = program("evaluate", run.path, "--on", strangers, "--set", "speaker=pattern", "--set", PATTERN)[1]
    assert "nobody can tell whether it was trained from any of them" in said.splitlines()[0]
    found = run.evaluate_on(others(strangers))
    assert not found.compared
    assert found.notes == ("the clips of its training are not here: copies of them were not looked for",)
    assert found.speakers_shared is None


def test_the_program_prints_it(made, strangers, program):
    (strangers / "low").rename(strangers / "deep")
    settings = ["--set", "speaker=pattern", "--set", PATTERN]
    code, out, _ = program("evaluate", made.path, "--on", strangers, "--map", "deep=low", *settings)
    assert code == 0
    assert "other recordings than it was trained from" in out.splitlines()[0]
    code, out, _ = program("evaluate", made.path, "--on", strangers, "--map", "deep=low", *settings, "--json")
    assert json.loads(out)["test"]["n"] == 18


@pytest.mark.parametrize("arguments", [["--map", "a=b"], ["--set", "a=b"], ["--on", ".", "--map", "a"]])
def test_options_that_do_not_fit(made, arguments, program):
    assert program("evaluate", made.path, *arguments)[0] == 2


def test_a_word_is_mapped_once(made, strangers, program):
    code, _, err = program("evaluate", made.path, "--on", strangers, "--map", "yes=low, yes=high")
    assert code == 2
    assert "--map says 2 times what 'yes' is called; leave one" in " ".join(err.split())
