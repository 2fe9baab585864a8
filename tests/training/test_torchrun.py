"""One training by two processes: every clip once, and the same losses as one process alone."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import sayso
from runs_made import small_prepared, small_recipe
from sayso.classifier.module import Classifier
from sayso.errors import SettingsError
from sayso.recipe.prepared import Prepared
from sayso.recipe.recipe import Training, recipe_yaml
from sayso.runs.log import read_log
from sayso.system.distributed import Processes, this_process
from sayso.training.batches import check_shares, draw_batches, take_share
from sayso.training.hardware import Hardware, choose_hardware
from sayso.training.lightning_loop import LightningLearner
from sayso.training.sources import Sources

TORCHRUN = {"WORLD_SIZE": "8", "RANK": "5", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "4"}


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_every_row_falls_to_exactly_one_process_in_every_epoch(count):
    rows = np.arange(100, 143)
    for epoch in range(3):
        batches = draw_batches(rows, batch_size=16, seed=1, epoch=epoch)
        shares = [[take_share(batch, Processes(rank, count)) for rank in range(count)] for batch in batches]
        assert sorted(int(row) for batch in shares for share in batch for row in share) == rows.tolist()
        sizes = [len(share) for batch in shares for share in batch]
        assert min(sizes) >= 2
        assert all(max(map(len, batch)) - min(map(len, batch)) <= 1 for batch in shares)


def test_torchruns_environment_is_read(monkeypatch):
    assert this_process() == Processes()
    for key, value in {**TORCHRUN, "MASTER_ADDR": "localhost", "MASTER_PORT": "1"}.items():
        monkeypatch.setenv(key, value)
    processes = this_process()
    assert processes == Processes(rank=5, count=8, local_rank=1, local_count=4)
    assert (processes.machines, processes.leads) == (2, False)
    hardware = choose_hardware(Training(device="cpu"))
    assert hardware.processes == processes
    assert hardware.threads == max(1, len(os.sched_getaffinity(0)) // 4)
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    with pytest.raises(SettingsError, match="4 processes on this machine, but 2 GPUs"):
        choose_hardware(Training(device="gpu"))


def test_batches_too_small_for_so_many_processes_are_told():
    check_shares(Training(batch_size=1), 100, Processes())
    check_shares(Training(batch_size=8), 16, Processes(0, 4))
    with pytest.raises(SettingsError, match=r"batch_size: is 8, so that 9 clips give batches of 4; 4 processes need 8"):
        check_shares(Training(batch_size=8), 9, Processes(0, 4))


@pytest.mark.parametrize("class_weights", ["none", "balanced"])
def test_the_processes_gradients_make_up_that_of_the_whole_batch(tone_folder, class_weights):
    prepared = small_prepared(tone_folder)
    corpus, split = prepared.corpus, prepared.split
    recipe = small_recipe(tone_folder, batch_size=7, class_weights=class_weights)
    recipe = type(recipe)(**{**vars(recipe), "augment": ()})

    def learner(processes):
        torch.manual_seed(0)
        classifier = Classifier(recipe, corpus.labels)
        classifier.network = nn.Sequential(nn.Flatten(), nn.LazyLinear(3))
        classifier(torch.zeros(1, corpus.audio.clip_samples))
        # Words of unequal number, so that shares of one size differ in weight.
        kept = np.concatenate([split.train[:3], split.train[-8:]])
        parts = type(split)(kept, split.validation, split.test, "x")
        prepared = Prepared(recipe, corpus, parts)
        hardware = Hardware(torch.device("cpu"), False, 1, processes)
        return LightningLearner(classifier, prepared, hardware, Sources.of(classifier.features, prepared, hardware))

    def gradient(processes):
        one = learner(processes)
        loss = one.training_step(0, 0)
        loss.backward()
        return one.classifier.network[1].weight.grad, one.train_scores

    whole, tally = gradient(Processes())
    parts = [gradient(Processes(rank, 3)) for rank in range(3)]
    mean = sum(part for part, _ in parts) / 3  # what DDP makes of them
    torch.testing.assert_close(mean, whole, rtol=1e-4, atol=1e-6)
    sums = sum(part._sums for _, part in parts)
    torch.testing.assert_close(sums, tally._sums, rtol=1e-5, atol=1e-5)


def launch(folder, *arguments, count=2, dies=None):
    """Start tests/training/worker.py, under torchrun when there is more than one process."""
    worker = [str(Path(__file__).with_name("worker.py")), str(folder), *map(str, arguments)]
    torchrun = ["-m", "torch.distributed.run", "--nproc-per-node", str(count)] if count > 1 else []
    # These very sources, whatever is installed and wherever the tests were started.
    environment = os.environ | {"PYTHONPATH": str(Path(sayso.__file__).parents[1])}
    environment |= {} if dies is None else {"SAYSO_TEST_DIE": str(dies)}
    return subprocess.run(
        [sys.executable, *torchrun, *worker], cwd=folder, env=environment, capture_output=True, text=True
    )


def used(folder, count, part):
    """Rows of every step by process."""
    return [json.loads((folder / f"{rank}.json").read_text())[part] for rank in range(count)]


@pytest.fixture
def recipe(tone_folder, tmp_path):
    """A recipe for tests/training/worker.py: 11 training and 5 validation clips in batches of at most 7."""
    for name in ("cas_0", "dee_0", "bob_1"):
        (tone_folder / "low" / f"{name}.wav").unlink()
    keys = {"epochs": 3, "batch_size": 7, "validation_share": 0.35, "device": "cpu", "precision": "float32"}
    keys |= {"average": 0.9}
    text = recipe_yaml(small_recipe(tone_folder, **keys))
    model, training = text.index("model:"), text.index("training:")
    path = tmp_path / "r.yaml"
    path.write_text(f"{text[:model]}model: {{kind: one_layer}}\naugment: []\n{text[training:]}")
    return path


@pytest.mark.slow
def test_two_processes_train_as_one_and_go_on_when_one_has_died(recipe, tmp_path):
    alone, both = tmp_path / "alone", tmp_path / "both"
    for folder in (alone, both):
        folder.mkdir()
    assert launch(alone, "train", recipe, "--out", "run", count=1).returncode == 0
    done = launch(both, "train", recipe, "--out", "run")
    assert done.returncode == 0, done.stderr
    assert [line[:4] for line in done.stdout.splitlines()].count("test") == 1, "the first process alone prints"

    # Every training clip once an epoch, every validation clip once an epoch, though the shares are not of one size.
    steps = list(zip(*used(both, 2, "train"), strict=True))
    assert [len(first) + len(second) for first, second in steps] == [6, 5] * 3
    whole = [sorted(batch) for batch in used(alone, 1, "train")[0]]
    assert [sorted(first + second) for first, second in steps] == whole
    scored = list(zip(*used(both, 2, "validation"), strict=True))
    assert [sorted(first + second) for first, second in scored] == used(alone, 1, "validation")[0]

    logs = [read_log(folder / "run" / "log.csv") for folder in (alone, both)]
    for one, two in zip(*logs, strict=True):
        assert (one.epoch, one.set, one.accuracy) == (two.epoch, two.set, pytest.approx(two.accuracy))
        assert one.loss == pytest.approx(two.loss, rel=1e-4)
    manifest = json.loads((both / "run" / "manifest.json").read_text())
    assert (manifest["finished"], manifest["processes"]) == (True, 2)

    # One dies in the second epoch; resumed, the run ends as it would have ended.
    died = launch(both, "train", recipe, "--out", "stopped", dies=1)
    lines = [line for line in died.stderr.splitlines() if line.startswith("sayso: ")]
    assert len(lines) == 1
    # Whether it is told first by the connection that breaks, or by torchrun.
    lost = (
        "another process of this training died; ",
        "another process of this training ended, or this one was told to; ",
    )
    assert lines[0].startswith(tuple(f"sayso: {each}nothing is lost" for each in lost))
    assert "sayso train --resume stopped" in lines[0]
    assert len(read_log(both / "stopped" / "log.csv")) == 2
    assert launch(both, "train", "--resume", "stopped").returncode == 0
    assert (both / "stopped" / "model.safetensors").read_bytes() == (both / "run" / "model.safetensors").read_bytes()


@pytest.mark.slow
def test_what_only_one_process_meets_is_told_once(recipe, tmp_path):
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "mine").write_text("")
    done = launch(tmp_path, "train", recipe, "--out", "taken")
    lines = [line for line in done.stderr.splitlines() if line.startswith("sayso: ")]
    assert done.returncode != 0
    assert len(lines) == 1
    assert "exists and is not empty" in lines[0]


@pytest.mark.slow
def test_what_diverges_in_the_first_epoch_leaves_no_folder(recipe, tmp_path):
    keys = ("learning_rate=1e38", "optimizer=sgd", "schedule=constant")
    diverging = [part for key in keys for part in ("--set", f"training.{key}")]
    done = launch(tmp_path, "train", recipe, "--out", "run", *diverging)
    lines = [line for line in done.stderr.splitlines() if line.startswith("sayso: ")]
    assert done.returncode != 0
    assert len(lines) == 1
    assert "diverged in epoch 1" in lines[0]
    assert not (tmp_path / "run").exists()
