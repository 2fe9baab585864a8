"""How threads wait: by what others compute, never against a person's own choice, and never at the price of a bit."""

import json
import os
import subprocess
import sys
import time

import pytest

from conftest import write_tones
from runs_made import small_recipe
from sayso.recipe.recipe import recipe_yaml
from sayso.system import openmp
from sayso.system.files import file_digest
from sayso.system.openmp import Moment, choose_waiting, waiting

CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0
OF_OPENMP = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")
TRAIN = "import sys\nfrom sayso.experiment.train import train\ntrain(sys.argv[1], out=sys.argv[2], extras=False)\n"

pytestmark = pytest.mark.skipif(not CORES, reason="needs Linux")


def moments(monkeypatch, *, others, own=0.0):
    """Two moments a second apart, in which others keep so many cores busy."""
    before, after = Moment(50.0, 7.0, 1.0), Moment(51.0, 7.0 + CORES - others - own, 1.0 + own)
    monkeypatch.setattr(Moment, "now", lambda: after)
    return before


def test_beside_other_work_threads_sleep(monkeypatch):
    environment = {}
    choose_waiting(moments(monkeypatch, others=1.0, own=0.5), environment)
    assert environment == {"OMP_WAIT_POLICY": "PASSIVE"}


@pytest.mark.parametrize("own", [0.0, 1.0])
def test_what_this_process_computes_is_no_other_work(monkeypatch, own):
    environment = {}
    choose_waiting(moments(monkeypatch, others=0.1, own=own), environment)
    assert environment.get("OMP_WAIT_POLICY") is None


@pytest.mark.parametrize("own", [{"OMP_WAIT_POLICY": "ACTIVE"}, {"GOMP_SPINCOUNT": "5000"}])
def test_what_a_person_has_set_stays(monkeypatch, own):
    environment = dict(own)
    choose_waiting(moments(monkeypatch, others=1.0), environment)
    assert environment == own


def test_the_other_processes_of_a_training_are_no_other_work(monkeypatch):
    for key, value in {"RANK": 0, "WORLD_SIZE": 2, "LOCAL_RANK": 0, "LOCAL_WORLD_SIZE": 2}.items():
        monkeypatch.setenv(key, str(value))
    monkeypatch.setenv("MASTER_ADDR", "localhost")
    monkeypatch.setenv("MASTER_PORT", "1")
    environment = {}
    choose_waiting(moments(monkeypatch, others=1.2), environment)
    assert environment.get("OMP_WAIT_POLICY") is None
    choose_waiting(moments(monkeypatch, others=1.8), environment)
    assert environment["OMP_WAIT_POLICY"] == "PASSIVE"


def test_where_the_system_does_not_tell_nothing_is_chosen(monkeypatch, tmp_path):
    monkeypatch.setattr(openmp, "_STAT", tmp_path / "none")
    assert Moment.now() is None
    environment = {}
    choose_waiting(Moment.now(), environment)
    assert environment == {}


def test_another_program_at_work_is_seen():
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as other:
        try:
            time.sleep(0.2)
            before = Moment.now()
            time.sleep(0.3)
            assert Moment.now().others_since(before) >= 0.5
        finally:
            other.kill()


def train_with(chosen, recipe, out):
    """Train in a process of its own; gives what OpenMP says of its settings."""
    known = {key: value for key, value in os.environ.items() if key not in OF_OPENMP}
    environment = {**known, **chosen, "OMP_DISPLAY_ENV": "VERBOSE"}
    command = [sys.executable, "-c", TRAIN, str(recipe), str(out)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return done.stderr


def test_how_threads_wait_changes_no_bit(tmp_path):
    recipe = tmp_path / "tones.yaml"
    recipe.write_text(recipe_yaml(small_recipe(write_tones(tmp_path / "tones"), epochs=2, threads=2)))
    weights = []
    for name, chosen in {"sleep": {"OMP_WAIT_POLICY": "PASSIVE"}, "spin": {}}.items():
        said = train_with(chosen, recipe, tmp_path / name)
        assert ("GOMP_SPINCOUNT = '0'" in said) == (name == "sleep")
        facts = json.loads((tmp_path / name / "manifest.json").read_text())
        assert (facts["threads"], facts["machine"]["waiting"]) == (2, waiting(chosen))
        weights.append(file_digest(tmp_path / name / "model.safetensors"))
    assert weights[0] == weights[1]


def test_what_is_set_is_said_in_the_words_it_is_set_with():
    assert waiting({"GOMP_SPINCOUNT": "0", "OMP_WAIT_POLICY": "ACTIVE"}) == "OMP_WAIT_POLICY=ACTIVE, GOMP_SPINCOUNT=0"
