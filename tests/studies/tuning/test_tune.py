"""`sayso tune` on a tiny run: what it measures, what it writes, what it refuses."""

import json
import shutil
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import soundfile

from conftest import one_line, write_tones
from runs_made import small_recipe
from sayso.augment.surround import SurroundConfig
from sayso.classifier import tuned_file
from sayso.classifier.tuned_file import write_tuned
from sayso.data.splits import SplitSettings
from sayso.errors import ModelError
from sayso.experiment.each_speaker import answer_for_each_speaker
from sayso.experiment.run import Run
from sayso.experiment.train import train
from sayso.recipe.prepared import prepare
from sayso.runtime import Recognizer, Stream, StreamSettings, WordThreshold
from sayso.runtime.stream_curve import CurveRow, StreamCurve
from sayso.studies.tuning import listening
from sayso.studies.tuning import tune as module
from sayso.studies.tuning.listeners import open_listeners
from sayso.studies.tuning.tune import tune
from sayso.studies.verification.verify import verify
from sayso.system.files import file_digest
from sayso.system.progress import Progress, Task

ASKED = {"false_alarms_per_hour": 60.0, "hours": 0.03}
_LEVELS = ("5 to 10", "10 to 15", "15 to 20")


class Counted(Progress):
    """Keeps how far each task was to go, and how far it went."""

    def __init__(self):
        self.tasks: dict[str, list[int]] = {}

    @contextmanager
    def task(self, title, *, total=None, unit=""):
        far = self.tasks[title] = [total, 0]

        class Counting(Task):
            def advance(self, steps=1):
                far[1] += steps

        yield Counting()


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A run that streams, and a folder of background: 3 files of 20 s."""
    root = tmp_path_factory.mktemp("tune")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SAYSO_CACHE", str(root / "cache"))
        small = small_recipe(write_tones(root / "tones"), epochs=8, learning_rate=2e-2)
        recipe = replace(small, features=replace(small.features, centre=False), augment=(SurroundConfig(),))
        run = train(recipe, out=root / "run")
    rng = np.random.default_rng(0)
    (root / "talk").mkdir()
    for name in "abc":
        soundfile.write(root / "talk" / f"{name}.wav", 0.05 * rng.standard_normal(160_000), 8000)
    return run.path, root / "talk"


@pytest.fixture
def run(made, tmp_path):
    """A copy of the run."""
    shutil.copytree(made[0], tmp_path / "run")
    return Run.open(tmp_path / "run")


@pytest.fixture
def talk(made):
    return made[1]


def test_what_is_measured_is_what_the_runtime_would_tell(run, talk):
    before = file_digest(run.onnx)
    progress = Counted()
    found = tune(run.path, background=[talk], progress=progress, **ASKED)
    facts, test = found.facts, found.facts["test"]
    # More is listened to, as the last stream is not cut.
    assert progress.tasks["listening to made streams"] == [216, 216]
    assert not found.written
    assert file_digest(run.onnx) == before
    assert "tuned" not in run.manifest()
    # a.wav and c.wav choose, b.wav reports; replayed until there are 108 s.
    assert test["sources"] == 1
    assert test["independent_hours"] == pytest.approx(20 / 3600)
    assert facts["validation"]["independent_hours"] == pytest.approx(40 / 3600)
    assert 0.03 <= test["replayed_hours"] < 0.04
    assert facts["thresholds"].keys() == facts["curves"].keys() == {"high", "low", "middle"}
    assert test["misses"]["n"] == sum(own["misses"]["n"] for own in test["per_word"].values())
    assert test["misses"]["clips"] <= run.manifest()["clips"]["test"]
    for word, rows in facts["curves"].items():
        own = test["per_word"][word]
        assert own["alarms"]["per_hour"] == pytest.approx(own["alarms"]["n"] / test["replayed_hours"])
        assert all(np.diff([row[0] for row in rows]) > 0)
    page = found.page.read_text()
    assert page.count("<svg") == 3
    assert len(list(run.figures.glob("tuning-*.svg"))) == 3
    assert tune(run.path, background=[talk], **ASKED).facts == facts


def test_thresholds_keep_the_rate_where_they_were_chosen(run, talk):
    facts = tune(run.path, background=[talk], **ASKED).facts
    for word, chosen in facts["chosen"].items():
        assert (chosen["alarms_per_hour"] <= 60.0) == chosen["keeps_rate"], word
    loose = tune(run.path, background=[talk], false_alarms_per_hour=1000.0, hours=0.03).facts
    assert all(loose["thresholds"][word] <= facts["thresholds"][word] for word in facts["thresholds"])


def test_the_model_is_given_thresholds_and_curves_and_nothing_else_changes(run, talk):
    before, answers = onnx.load(run.onnx), Stream(run.path)
    assert answers.curve is None
    assert answers.estimate("low") is None
    assert "was never tuned" in answers.curve_note
    found = tune(run.path, background=[talk], write=True, **ASKED)
    after = onnx.load(run.onnx)
    assert after.graph.SerializeToString() == before.graph.SerializeToString()
    kept, new = ({entry.key: entry.value for entry in each.metadata_props} for each in (before, after))
    assert {key for key in new if new[key] != kept.get(key)} == {"stream", "stream_curve", "card"}
    assert new["card"] == run.card.read_text(encoding="utf-8")
    asked = "--false-alarms-per-hour 60 --background RECORDINGS --hours 0.03 --rooms 0.5"
    assert f"sayso tune RUN {asked} --write\n" in new["card"]
    assert "sayso tune" not in kept["card"].partition("## The command")[2]
    stream = Stream(run.path)
    assert stream.form == "stateful"
    for word, threshold in found.facts["thresholds"].items():
        assert stream.settings.threshold_of(word) == threshold
        row = stream.estimate(word)
        assert [row.threshold, row.alarms_per_hour, row.miss_share] in found.facts["curves"][word]
        assert row.threshold <= threshold
    assert stream.curve.background == found.facts["background"] == "3 recordings (0.017 h); white noise beneath"
    assert stream.curve_note == ""
    other = Stream(run.path, settings=replace(stream.settings, smoothing=5))
    assert other.estimate("low") is None
    assert "with other stream settings" in other.curve_note
    tuned = run.manifest()["tuned"]
    assert tuned["model_sha256"] == file_digest(run.onnx)
    assert (tuned["false_alarms_per_hour"], tuned["thresholds"]) == (60.0, found.facts["thresholds"])
    assert all(check.holds for check in verify(run.path))
    # Once more is the same again: thresholds that are there already change nothing.
    assert tune(run.path, background=[talk], **ASKED).facts == found.facts


def curve():
    return StreamCurve({"low": (CurveRow(0.5, 0.0, 0.0),)}, 1.0, 1.0, "none")


def clips(run):
    return np.random.default_rng(0).integers(-9000, 9000, (4, Recognizer(run.onnx).audio.clip_samples), np.int16)


def test_a_stop_between_the_files_leaves_a_pair_that_works(run, monkeypatch):
    sound = np.random.default_rng(0).integers(-9000, 9000, 16_000, np.int16)
    expected = Stream(run.path).answer(sound).probabilities

    def stopped(path, content):
        path.write_bytes(content)
        raise KeyboardInterrupt

    random = clips(run)
    with monkeypatch.context() as patch:
        patch.setattr(tuned_file, "write_bytes", stopped)
        with pytest.raises(KeyboardInterrupt):
            write_tuned(run.onnx, StreamSettings(threshold=0.9), curve(), random)
    stream = Stream(run.path)
    assert stream.form == "windows"
    assert "belongs to another model.onnx" in stream.note
    assert stream.settings.threshold == 0.9
    np.testing.assert_allclose(stream.answer(sound).probabilities, expected, atol=1e-5)
    assert [path for path in run.path.iterdir() if path.name.startswith(".")] == []
    # Written again, they are a pair again.
    sha256 = write_tuned(run.onnx, StreamSettings(threshold=0.8), curve(), clips(run))
    assert sha256 == file_digest(run.onnx)
    assert Stream(run.path).form == "stateful"


def test_a_streaming_form_of_another_model_is_not_made_this_ones(run):
    other = onnx.load(run.stream_onnx)
    weights = max(other.graph.initializer, key=lambda each: len(each.raw_data))
    weights.raw_data = bytes(len(weights.raw_data))
    onnx.save(other, run.stream_onnx)
    before = file_digest(run.onnx)
    with pytest.raises(ModelError, match=r"stream\.onnx: logits on a stream differ"):
        write_tuned(run.onnx, StreamSettings(), curve(), clips(run))
    assert file_digest(run.onnx) == before
    (check,) = (check for check in verify(run.path) if check.name == "stream")
    assert check.holds is False
    assert "differ from those on its windows" in check.detail


def test_verify_tells_a_model_that_was_changed_since(run):
    write_tuned(run.onnx, StreamSettings(), curve(), clips(run))
    manifest = run.manifest() | {"tuned": {"model_sha256": "0" * 64}}
    run.manifest_file.write_text(json.dumps(manifest))
    (check,) = (check for check in verify(run.path) if check.name == "stream")
    assert (check.holds, "not the one that sayso tune left" in check.detail) == (False, True)
    run.manifest_file.write_text(json.dumps({key: value for key, value in manifest.items() if key != "tuned"}))
    run.onnx.write_bytes(tuned_file._with_metadata(run.onnx, {"credit": "nobody"}))
    (check,) = (check for check in verify(run.path) if check.name == "stream")
    assert (check.holds, check.detail) == (False, "stream.onnx belongs to another model.onnx")


def test_a_curve_that_is_damaged_is_told(run):
    run.onnx.write_bytes(tuned_file._with_metadata(run.onnx, {"stream_curve": "{}"}))
    with pytest.raises(ModelError, match=r"its metadata is damaged \(stream_curve is none\)"):
        Recognizer(run.onnx)


def test_the_program_prints_a_table_or_json(run, talk, program):
    options = ["--background", talk, "--false-alarms-per-hour", "60", "--hours", "0.03"]
    code, out, _ = program("tune", run.path, *options)
    assert code == 0
    lines = out.splitlines()
    assert [line.split()[0] for line in lines[:5]] == ["word", "high", "low", "middle", "all"]
    assert "sources" in lines[0]
    # 20 s of background without an alarm leave any rate up to 540 an hour.
    assert "0 alarms in 0.0056 h of different background: the true rate may be 539 an hour all the same" in out
    assert f"page         {run.path / 'tuning.html'}" in lines
    code, out, _ = program("tune", run.path, *options, "--json", "--write")
    facts = json.loads(out)
    assert facts["test"]["sources"] == 1
    assert Recognizer(run.onnx).stream.threshold_of("low") == facts["thresholds"]["low"]


def test_what_thresholds_cost_is_written_beside_those_that_the_model_has(run, talk, program):
    before = Recognizer(run.onnx).stream
    options = ["--background", talk, "--false-alarms-per-hour", "60", "--hours", "0.03", "--keep-thresholds"]
    code, _, err = program("tune", run.path, *options)
    assert (code, "--keep-thresholds is about --write" in err.replace("\n", " ")) == (2, True)
    code, out, _ = program("tune", run.path, *options, "--write")
    assert (code, "written      what each threshold costs in" in out) == (0, True)
    assert Recognizer(run.onnx).stream == before
    assert Stream(run.onnx).estimate("low") is not None
    tuned = run.manifest()["tuned"]
    assert (tuned["kept_thresholds"], tuned["thresholds"]["low"]) == (True, before.threshold_of("low"))
    card = (run.path / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "what each threshold costs was measured, and none was chosen by it" in card
    assert "--write --keep-thresholds" in card


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (["--false-alarms-per-hour", "0"], "--false-alarms-per-hour: is 0, must be above 0"),
        (["--false-alarms-per-hour", "nan"], "--false-alarms-per-hour: is nan"),
        (["--hours", "-1"], "--hours: is -1, must be above 0"),
        (["--hours", "1e9"], "--hours: is 1e+09, must be above 0, such as 4, and at most 1,000"),
        (["--hours", "nan"], "--hours: is nan, must be above 0"),
        (
            ["--hours", "1"],
            "--hours: 1 h of streams is too short for 0.5 false alarms an hour: not one would be allowed; give 2",
        ),
        (["--false-alarms-per-hour", "0.1"], "6 h of streams is too short for 0.1 false alarms an hour"),
        (["--background", "nowhere"], "nowhere: no such file or folder"),
        (["--rooms", "2"], "--rooms: is 2, must be a share from 0 to 1"),
    ],
)
def test_what_cannot_be_asked_is_told_in_a_line(run, program, options, line):
    code, _, err = program("tune", run.path, *options)
    assert code == 2
    assert line in one_line(err)


def told(program, path: Path) -> str:
    code, _, err = program("tune", path, "--false-alarms-per-hour", "60")
    assert code == 2
    return one_line(err)


def test_runs_that_cannot_be_tuned_are_told(run, program, tmp_path):
    write_tuned(run.onnx, StreamSettings(thresholds=(WordThreshold(word="zebra", threshold=0.5),)), curve(), clips(run))
    code, _, err = program("tune", run.path, "--false-alarms-per-hour", "60", "--background", tmp_path / "run")
    assert (code, "run: holds no sound file" in one_line(err)) == (2, True)
    soundfile.write(tmp_path / "a.wav", np.full(16_000, 0.1), 8000)
    code, _, err = program("tune", run.path, "--false-alarms-per-hour", "60", "--background", tmp_path / "a.wav")
    assert (code, "'zebra' is no word of this model; it has high, low, middle" in one_line(err)) == (2, True)
    run.onnx.unlink()
    assert "has no exported model (model.onnx)" in told(program, run.path)
    assert "no run there" in told(program, tmp_path / "nowhere")
    run.manifest_file.write_text("{}")
    assert "has not finished; sayso train --resume" in told(program, run.path)
    run.manifest_file.unlink()
    assert "has no manifest.json, which its training left there; bring it back" in told(program, run.path)


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"validation": np.zeros(0, np.int64)}, "its split has no validation clips to choose thresholds by"),
        ({"test": np.zeros(0, np.int64)}, "its split has no test clips to report by"),
        ({"kind": "each speaker"}, "its model has heard every speaker (split.by: each_speaker)"),
    ],
)
def test_clips_that_are_lacking_are_told(run, program, monkeypatch, change, line):
    prepared = prepare(run.settings, Progress())
    lacking = replace(prepared, split=replace(prepared.split, **change))
    monkeypatch.setattr(module, "prepare", lambda *_: lacking)
    monkeypatch.setattr(module, "check_same_clips", lambda *_: None)
    assert line in told(program, run.path)


def test_clips_that_are_silent_are_told(run, program, monkeypatch, talk):
    prepared = prepare(run.settings, Progress())
    silent = replace(prepared, corpus=replace(prepared.corpus, samples=np.zeros_like(prepared.corpus.samples)))
    monkeypatch.setattr(module, "prepare", lambda *_: silent)
    monkeypatch.setattr(module, "check_same_clips", lambda *_: None)
    code, _, err = program("tune", run.path, "--background", talk)
    assert (code, "all clips of its validation part are silent" in one_line(err)) == (2, True)


def test_the_clips_must_be_those_of_the_training(run, program):
    folder = Path(run.settings.dataset.path)
    recipe = run.recipe.read_text()
    run.recipe.write_text(recipe.replace(str(folder), str(folder / "high")))
    assert "tones/high" in told(program, run.path)


@pytest.fixture(scope="module")
def heard_all(tmp_path_factory):
    """A run whose model has heard all three speakers, and whose folds left one out each."""
    root = tmp_path_factory.mktemp("heard-all")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SAYSO_CACHE", str(root / "cache"))
        tones = write_tones(root / "tones", speakers=("ann", "bob", "cas"))
        small = small_recipe(tones, epochs=8, learning_rate=2e-2, keep="last")
        features = replace(small.features, centre=False)
        recipe = replace(small, features=features, split=SplitSettings(by="each_speaker"), augment=(SurroundConfig(),))
        return train(recipe, out=root / "run").path


def test_each_speaker_is_listened_to_by_the_model_that_never_heard_them(heard_all, talk, tmp_path, monkeypatch):
    run = Run.open(shutil.copytree(heard_all, tmp_path / "run"))
    prepared = prepare(run.settings, Progress())
    asked: list[set[str | None]] = []
    real = listening.replays

    def watched(material, **keys):
        asked.append({prepared.corpus.clips[row].speaker for row in material.rows})
        return real(material, **keys)

    monkeypatch.setattr(listening, "replays", watched)
    progress = Counted()
    facts = tune(run.path, background=[talk], progress=progress, **ASKED).facts
    assert progress.tasks["listening to made streams"] == [324, 324]
    # Validation, test, and the model itself on the test streams.
    assert asked == [{"ann"}, {"bob"}, {"cas"}] * 3
    own = facts["each_speaker"]
    assert own["thresholds_by_others"].keys() == {"ann", "bob", "cas"}
    assert own["alarms_of_the_model_per_word"].keys() == facts["thresholds"].keys()
    assert facts["test"]["independent_hours"] == pytest.approx(20 / 3600)
    assert any("has heard all 3 speakers" in note for note in facts["notes"])
    found = tune(run.path, background=[talk], write=True, **ASKED)
    assert found.facts == facts
    assert {word: Stream(run.path).settings.threshold_of(word) for word in facts["thresholds"]} == facts["thresholds"]
    assert all(check.holds for check in verify(run.path))


def test_the_model_without_a_speaker_answers_as_it_was_trained(heard_all):
    run = Run.open(heard_all)
    prepared = prepare(run.settings, Progress())
    answers = answer_for_each_speaker(prepared, run)
    with open_listeners(run, prepared) as listeners:
        assert [listener.unheard for listener in listeners] == ["ann", "bob", "cas"]
        assert all(listener.stream.form == "stateful" for listener in listeners)
        for listener in listeners:
            own = [prepared.corpus.clips[row].speaker == listener.unheard for row in prepared.split.test]
            first = prepared.corpus.samples[prepared.split.test[own][0]]
            # The clip is the stream's first window.
            found = listener.stream.answer(np.concatenate((first, first))).probabilities[0]
            np.testing.assert_allclose(found, answers.probabilities[own][0], atol=1e-4)


def test_models_without_a_speaker_that_are_gone_are_told(heard_all, talk, tmp_path, program):
    run = Run.open(shutil.copytree(heard_all, tmp_path / "run"))
    shutil.rmtree(run.path / "folds" / "1")
    code, _, err = program("tune", run.path, "--background", talk)
    assert code == 2
    assert "1 of 3 are gone from" in one_line(err)
    assert "train it anew, or with --set split.by=speakers" in one_line(err)


def test_words_are_said_in_rooms_or_in_none(run, talk):
    dry = tune(run.path, background=[talk], rooms=0.0, **ASKED).facts["test"]["by_condition"]
    wet = tune(run.path, background=[talk], rooms=1.0, **ASKED).facts["test"]["by_condition"]
    assert "in a simulated room" not in dry
    assert "in no room" not in wet
    assert dry["in no room"]["n"] == wet["in a simulated room"]["n"] == sum(dry[f"{at} dB"]["n"] for at in _LEVELS)
