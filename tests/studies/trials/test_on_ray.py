"""Comparisons and archives on a Ray cluster of several nodes, all on this machine."""

import json
import os
import subprocess
import sys
import time

import numpy as np
import pytest
import soundfile

import jobs_made
from comparison_made import outcome_of, write_recipes
from conftest import one_line, write_tones
from models_made import RATE, loudness_model
from sayso.errors import RunError
from sayso.runtime import Recognizer
from sayso.studies.archive import pieces
from sayso.studies.archive.answers import WordAnswers
from sayso.studies.archive.predict import predict_archive
from sayso.studies.comparison.compare import compare
from sayso.studies.executors.job import Job, name_of
from sayso.studies.executors.ray_cluster import RayCluster, _check_machine

pytest.importorskip("ray", reason="the extra ray is not installed")


@pytest.fixture(scope="module")
def cluster():
    """A head that trains nothing, and two nodes with room for a trial each."""
    from ray.cluster_utils import Cluster

    # Else Ray's workers make way for everything else on the machine, the other tests among it.
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("RAY_worker_niceness", "0")
        made = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
        made.add_node(num_cpus=1)
        made.add_node(num_cpus=1)
    made.wait_for_nodes()
    yield made
    made.shutdown()


@pytest.fixture
def at_cluster(cluster, monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", cluster.address)
    return cluster


def test_another_version_of_ray_is_one_line(at_cluster, tmp_path, monkeypatch):
    import ray

    monkeypatch.setattr(ray, "__version__", "2.40.0")
    with pytest.raises(RunError, match=r"cannot work with this cluster: Version mismatch: .* Ray: 2\.40\.0") as found:
        next(RayCluster("ray", processes=1).run([made_job(jobs_made.write)], tmp_path))
    assert "\n" not in str(found.value)


def test_jobs_that_train_nothing_send_their_files_back(at_cluster, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(path for path in sys.path if path))
    jobs = [made_job(jobs_made.write, text="one"), made_job(jobs_made.refuse), made_job(jobs_made.leave_nothing)]
    told = {outcome.job.name: outcome.error for outcome in RayCluster("ray", processes=1).run(jobs, tmp_path)}
    assert told == {"write": "", "refuse": "not today", "leave_nothing": "leave_nothing ended and left no text.txt"}
    assert [str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.txt")] == ["write/text.txt"]
    assert (tmp_path / "write" / "text.txt").read_text() == "one"


def archive_of(folder, files):
    """Loud files, and answers on them."""
    (folder / "archive").mkdir()
    for place in range(files):
        soundfile.write(folder / "archive" / f"{place}.wav", np.full(RATE // 4, 0.9 if place % 3 else -0.9), RATE)
    (folder / "archive" / "bad.wav").write_text("no sound")
    return WordAnswers(Recognizer(loudness_model(folder / "model.onnx"), threads=1))


def test_an_archive_is_answered_as_on_this_machine(at_cluster, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(path for path in sys.path if path))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(WordAnswers, "batch", 2)
    monkeypatch.setattr(pieces, "_BATCHES", 2)
    answers = archive_of(tmp_path, 10)
    for name, executor in (("here.csv", None), ("there.csv", RayCluster("ray", processes=1))):
        predict_archive(["archive"], answers, out=tmp_path / name, executor=executor)
    assert (tmp_path / "here.csv").read_bytes() == (tmp_path / "there.csv").read_bytes()


def test_more_threads_than_any_node_has_is_one_line(program, at_cluster, tmp_path):
    recipes = write_recipes(tmp_path, write_tones(tmp_path / "tones"))
    asked = ["compare", *recipes, "--folds", 2, "--on", "ray", "--out", tmp_path / "out"]
    code, _, err = program(*asked, "--threads", 2)
    assert code == 2
    line = "no node of this cluster has 2 processors for a trial, the largest has 1; use --threads 1 or add a node"
    assert line in one_line(err)


def test_an_address_that_does_not_answer_is_one_line(program, tmp_path, monkeypatch):
    recipes = write_recipes(tmp_path, write_tones(tmp_path / "tones"))
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:9")
    code, _, err = program("compare", *recipes, "--folds", 2, "--on", "ray", "--out", tmp_path / "out")
    assert code == 2
    assert "RAY_ADDRESS 127.0.0.1:9 does not answer" in one_line(err)


@pytest.mark.slow
def test_a_node_killed_in_the_middle_costs_only_its_trial(at_cluster, tmp_path):
    recipes = write_recipes(tmp_path, write_tones(tmp_path / "tones"), epochs=3)
    here = compare(recipes, folds="leave-one-speaker-out", seeds=1, jobs=1, out=tmp_path / "here")
    settings = ["--folds", "leave-one-speaker-out", "--seeds", "1", "--on", "ray", "--out", tmp_path / "there"]
    command = [sys.executable, "-m", "sayso", "compare", *recipes, *settings]
    process = subprocess.Popen([str(part) for part in command], stdout=subprocess.DEVNULL, env=os.environ)
    while not list((tmp_path / "there" / "trials").glob("*/manifest.json")):
        assert process.poll() is None
        time.sleep(0.05)
    finished = {path: path.stat().st_mtime_ns for path in (tmp_path / "there" / "trials").glob("*/manifest.json")}
    at_cluster.remove_node(at_cluster.list_all_nodes()[-1], allow_graceful=False)
    assert process.wait() == 0
    assert all(path.stat().st_mtime_ns == stamp for path, stamp in finished.items())
    assert outcome_of(tmp_path / "there") == outcome_of(tmp_path / "here")
    there = json.loads((tmp_path / "there" / "comparison.json").read_text())
    assert there | {"measured": None} == here.table | {"measured": None}


@pytest.mark.slow
def test_a_node_killed_in_the_middle_of_an_archive_costs_no_file(tmp_path, monkeypatch):
    from ray.cluster_utils import Cluster

    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    node = made.add_node(num_cpus=1)
    made.wait_for_nodes()
    monkeypatch.setenv("RAY_ADDRESS", made.address)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(path for path in sys.path if path))
    monkeypatch.setattr(pieces, "_BATCHES", 1)
    answers = archive_of(tmp_path, 64 * 40)
    predict_archive([tmp_path / "archive"], answers, out=tmp_path / "here.csv")
    command = [tmp_path / "archive", "--model", tmp_path / "model.onnx", "--on", "ray", "--out", tmp_path / "there.csv"]
    settings = [str(part) for part in command]
    try:
        process = subprocess.Popen([sys.executable, "-m", "sayso", "predict", *settings], stderr=subprocess.DEVNULL)
        kept = tmp_path / "there.csv.unfinished" / "answers.jsonl"
        while not (kept.exists() and kept.stat().st_size):
            assert process.poll() is None
            time.sleep(0.02)
        made.remove_node(node, allow_graceful=False)
        assert process.wait() == 2  # of the one bad file
    finally:
        made.shutdown()
    assert (tmp_path / "here.csv").read_bytes() == (tmp_path / "there.csv").read_bytes()


def made_job(function, **values):
    return Job(function.__name__, name_of(function), values, ["text.txt"])


def test_more_threads_than_this_machine_has_processors_are_refused_before_ray_begins():
    with pytest.raises(RunError, match=rf"a trial asks for 999 processors, .* use --threads {os.cpu_count()}"):
        _check_machine(999, "trial")
    _check_machine(os.cpu_count(), "trial")
