"""Archives in pieces, by executors: the same table, nothing lost by a kill, little held at any time."""

import json
import signal
import threading
from pathlib import Path

import numpy as np
import pytest
import soundfile

from conftest import one_line
from models_made import RATE, loudness_model
from sayso.errors import InterruptedRunError, RunError
from sayso.runtime import Recognizer
from sayso.studies.archive import pieces
from sayso.studies.archive.answers import DetectionAnswers, WordAnswers
from sayso.studies.archive.predict import predict_archive
from sayso.studies.archive.sources import find_files
from sayso.studies.executors.job import Outcome, do_job
from sayso.studies.executors.local import LocalProcesses
from tone_model_made import make_tone_model, write_recording

FILES = 22


class Here:
    """Does jobs in this process, as they come or backwards; `fails` says of a job's number what goes wrong instead."""

    def __init__(self, *, backwards=False, fails=None):
        self.backwards, self.fails = backwards, fails or {}
        self.done: list[str] = []

    def run(self, jobs, folder):
        every = reversed(list(jobs)) if self.backwards else jobs
        for number, job in enumerate(every):
            if isinstance(failure := self.fails.get(number), BaseException):
                raise failure
            if failure:
                yield Outcome(job, failure)
                continue
            self.done += job.values["files"]
            do_job(job, folder / job.name)
            yield Outcome(job)


@pytest.fixture
def archive(tmp_path, monkeypatch):
    """Loud files, a damaged one and one that is not there, in a list of relative paths."""
    monkeypatch.setattr("sayso.studies.archive.answers._BATCH", 2)
    monkeypatch.setattr(WordAnswers, "batch", 2)
    monkeypatch.setattr(pieces, "_BATCHES", 2)
    monkeypatch.chdir(tmp_path)
    for place in range(FILES - 2):
        soundfile.write(f"{place}.flac", np.full(RATE, (-0.9) ** place), RATE)
    Path("bad.wav").write_text("no sound")
    names = [*(f"{place}.flac" for place in range(9)), "bad.wav", "gone.wav", *(f"{n}.flac" for n in range(9, 20))]
    Path("list.txt").write_text("\n".join(names))
    return "list.txt"


@pytest.fixture
def answers(tmp_path):
    return WordAnswers(Recognizer(loudness_model(tmp_path / "model.onnx"), threads=1), top=2)


def table(name):
    return Path(name).read_bytes()


@pytest.mark.parametrize("backwards", [False, True])
def test_the_table_is_that_of_this_process_in_whatever_order_pieces_come(archive, answers, backwards):
    told = {"here": [], "there": []}
    here = predict_archive([archive], answers, out=Path("here.csv"), failed=told["here"].append)
    executor = Here(backwards=backwards)
    there = predict_archive([archive], answers, out=Path("there.csv"), executor=executor, failed=told["there"].append)
    assert table("here.csv") == table("there.csv")
    assert (here.files, here.failed, here.labels) == (there.files, there.failed, there.labels)
    assert told["here"] == told["there"]
    assert [one.file for one in told["there"]] == ["bad.wav", "gone.wav"]
    assert not list(Path().glob("there.csv.*"))


def test_processes_that_are_killed_cost_no_file_and_none_twice(archive, answers, tmp_path):
    class Killed(LocalProcesses):
        """Has its first process killed before it begins."""

        def run(self, jobs, folder):
            first, *rest = jobs
            killed = type(first)(**vars(first) | {"function": "jobs_made:die"})
            yield from super().run([*rest, killed], folder)

    predict_archive([archive], answers, out=Path("here.jsonl"))
    with (tmp_path / ".lock").open("w") as lock:
        kept = {"lock": lock.fileno(), "log": tmp_path / "workers.log"}
        with pytest.raises(RunError, match=f"was killed by signal {int(signal.SIGKILL)}.*0 of 22 files are answered"):
            predict_archive([archive], answers, out=Path("there.jsonl"), executor=Killed(1, **kept))
    rest = Here()
    predict_archive([archive], answers, out=Path("there.jsonl"), executor=rest)
    assert len(rest.done) == 4
    assert table("here.jsonl") == table("there.jsonl")


def test_ctrl_c_keeps_what_is_answered_and_either_way_goes_on(archive, answers):
    predict_archive([archive], answers, out=Path("here.csv"))
    for name, rest in (("a.csv", Here()), ("b.csv", None)):
        stopped = Here(backwards=True, fails={4: KeyboardInterrupt()})
        with pytest.raises(InterruptedRunError, match=r"0 of 22 files answered, .* the same command goes on"):
            predict_archive([archive], answers, out=Path(name), executor=stopped)
        predict_archive([archive], answers, out=Path(name), executor=rest)
        assert table("here.csv") == table(name)
        if rest:
            assert len(stopped.done) + len(rest.done) == FILES
            assert not {*stopped.done} & {*rest.done}


@pytest.mark.parametrize("kept", [2, 5, 6, 22])
def test_what_was_begun_here_goes_on_in_pieces(archive, answers, kept):
    predict_archive([archive], answers, out=Path("here.csv"))
    stop = Here(fails={0: "not today"})
    with pytest.raises(
        RunError, match=r"^not today \(0 of 22 files are answered and kept; the same command goes on\)$"
    ):
        predict_archive([archive], answers, out=Path("a.csv"), executor=stop)
    Path("a.csv.unfinished/answers.jsonl").write_text("".join(lines_of(archive, answers)[:kept]))
    rest = Here()
    predict_archive([archive], answers, out=Path("a.csv"), executor=rest)
    assert table("here.csv") == table("a.csv")
    assert len(rest.done) == FILES - kept // 2 * 2


def lines_of(archive, answers):
    """Each file's line in answers.jsonl."""
    every = [one for file in find_files([archive]) for one in answers.answer([file])]
    return [json.dumps((one.file, one.rows, one.remark, one.error)) + "\n" for one in every]


def test_pieces_that_were_damaged_are_answered_anew(archive, answers):
    predict_archive([archive], answers, out=Path("here.csv"))
    with pytest.raises(RunError):
        predict_archive([archive], answers, out=Path("a.csv"), executor=Here(backwards=True, fails={5: "not today"}))
    first, second, *others = sorted(Path("a.csv.unfinished/pieces").iterdir())
    (first / "answers.jsonl").write_text('["./other.flac", [], null, null]\n')
    (second / "missing.json").unlink()
    rest = Here()
    predict_archive([archive], answers, out=Path("a.csv"), executor=rest)
    assert len(rest.done) == FILES - 4 * len(others) + 2
    assert table("here.csv") == table("a.csv")


def test_recordings_that_a_node_does_not_have_are_no_answers(archive, answers, tmp_path, monkeypatch):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()

    class Elsewhere(Here):
        def run(self, jobs, folder):
            moved = (type(job)(**vars(job) | {"values": job.values | {"place": str(elsewhere)}}) for job in jobs)
            yield from super().run(moved, folder)

    with pytest.raises(RunError, match=r"0\.flac is here, and was not where it was to be answered; give every node"):
        predict_archive([archive], answers, out=Path("a.csv"), executor=Elsewhere())
    predict_archive([archive], answers, out=Path("a.csv"), executor=Here())


def test_jobs_are_made_when_they_are_asked_for(archive, answers):
    taken, ahead = [], []

    class Slow(Here):
        def run(self, jobs, folder):
            def counted():
                for job in jobs:
                    taken.append(job)
                    yield job

            for outcome in super().run(counted(), folder):
                ahead.append(len(taken))
                yield outcome

    predict_archive([archive], answers, out=Path("a.csv"), executor=Slow())
    assert ahead == [1, 2, 3, 4, 5, 6]
    assert threading.active_count() < 20


def test_words_in_long_files_are_those_of_this_process(tmp_path, monkeypatch):
    monkeypatch.setattr(pieces, "_BATCHES", 2)
    model = make_tone_model(tmp_path / "model.onnx")
    write_recording(tmp_path / "long" / "a.wav", 8.0, [("low", 2.0), ("high", 5.0)])
    write_recording(tmp_path / "long" / "b.wav", 3.0, [])
    write_recording(tmp_path / "long" / "c.wav", 3.0, [("low", 1.0)])
    answers = DetectionAnswers(Recognizer(model, threads=1))
    for name, executor in (("here.jsonl", None), ("there.jsonl", Here())):
        predict_archive([tmp_path / "long"], answers, out=tmp_path / name, executor=executor)
    assert table(tmp_path / "here.jsonl") == table(tmp_path / "there.jsonl")
    assert table(tmp_path / "here.jsonl").count(b'"word": "low"') == 2


def test_where_it_may_be_asked_for(archive, answers, program, monkeypatch):
    asked = ["predict", archive, "--model", "model.onnx"]
    for options, told in (
        (["--on", "ray"], "--on: answers archives, and needs --out"),
        (["--on", "rays", "--out", "a.csv"], "--on: is 'rays', must be ray or ray://HOST[:PORT]"),
    ):
        code, _, err = program(*asked, *options)
        assert code == 2
        assert told in one_line(err)
    monkeypatch.setattr("sayso.studies.executors.ray_cluster.find_spec", lambda name: None)
    code, _, err = program(*asked, "--on", "ray", "--out", "a.csv")
    assert code == 2
    assert "clusters of Ray (--on)" in one_line(err)
    assert "[ray]" in one_line(err)
    assert not list(Path().glob("a.csv*"))
