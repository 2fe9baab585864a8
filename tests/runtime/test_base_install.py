"""The base install: a process in which nothing that trains can be imported."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from runs_made import small_run
from sayso.errors import install_command
from sayso.runtime import Recognizer
from sayso.system.installed import TRAINING_PACKAGES

REFUSE = f"""
import sys
from importlib.abc import MetaPathFinder

class Refuse(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {sorted(TRAINING_PACKAGES)!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Refuse())
"""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that Sayso trained and exported; beside it a clip."""
    from conftest import write_tones

    root = tmp_path_factory.mktemp("base")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SAYSO_CACHE", str(root / "cache"))
        run = small_run(write_tones(root / "tones"), root / "run")
    soundfile.write(root / "a.wav", np.sin(np.arange(8000) * 0.7).astype(np.float32) / 2, 16_000)
    return run.onnx


def base(code: str, *arguments: object) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", REFUSE + code, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env=os.environ | {"COLUMNS": "200"},
    )


def test_a_model_file_is_loaded_and_answers(model: Path) -> None:
    clip = model.parent.parent / "a.wav"
    code = (
        "import sayso\n"
        "recognizer = sayso.load(sys.argv[1])\n"
        "print([(one.label, one.probability) for one in recognizer.predict(sys.argv[2], top=3)])\n"
    )
    done = base(code, model, clip)
    answers = Recognizer(model).predict(clip, top=3)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip() == str([(answer.label, answer.probability) for answer in answers])


def test_the_program_answers(model: Path) -> None:
    clip = model.parent.parent / "a.wav"
    code = "sys.argv[0] = 'sayso'\nfrom sayso.cli import main\nmain()\n"
    for given in (model, model.parent):
        done = base(code, "predict", clip, "--model", given)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith(f"{clip}: {Recognizer(model).predict(clip)[0].label} (")


def test_the_program_finds_words_in_long_recordings_and_says_what_that_is_worth(tmp_path: Path) -> None:
    from tone_model_made import make_tone_model, write_recording

    model = make_tone_model(tmp_path / "model.onnx")
    recordings = [write_recording(tmp_path / f"{place}.wav", 20.0, [("low", 3.0 + place)]) for place in range(2)]
    truth = tmp_path / "said.csv"
    truth.write_text("path,label,start,end\n0.wav,low,3,3.4\n1.wav,high,4,4.4\n")
    code = "sys.argv[0] = 'sayso'\nfrom sayso.cli import main\nmain()\n"
    done = base(code, "spot", *recordings, "--model", model, "--truth", truth, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    scores = json.loads(done.stdout)["scores"]
    assert (scores["misses"]["missed"], scores["misses"]["files_ci95"], scores["alarms"]["n"]) == (1, None, 1)
    assert scores["alarms"]["poisson_ci95"][1] > scores["alarms"]["at_most"] > 90
    done = base(code, "spot", recordings[0], "--model", model, "--out", tmp_path / "page")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.strip().endswith(install_command("train"))


@pytest.mark.parametrize(
    ("code", "what"),
    [
        ("sayso.load(sys.argv[1])", "runs"),
        ("sayso.train(sys.argv[1])", "training and its runs"),
        ("sayso.Run", "training and its runs"),
    ],
)
def test_what_trains_is_said_to_be_missing(model: Path, code: str, what: str) -> None:
    tried = (
        f"import sayso\nfrom sayso.errors import SaysoError\ntry: {code}\nexcept SaysoError as error: print(error)\n"
    )
    done = base(tried, model.parent)
    told = f"{what} need an extra that is not installed: {install_command('train')}"
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, told, "")
