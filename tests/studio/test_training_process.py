"""A training that the page begins: an ordinary run of the command line, cancelled as by Ctrl-C, and gone on with."""

import html
import time

import pytest

pytest.importorskip("starlette", reason="needs the extra serve")

from sayso.cli.results import show_run
from sayso.recipe.words import read_words_file
from sayso.runs.folder import RunFolder
from sayso.studio.training import _progress
from sayso.system.files import write_text
from studio_made import make_studio, make_studio_of_tones

WAIT_SECONDS = 120


@pytest.fixture
def made(tmp_path, monkeypatch):
    """A studio over tones of four speakers, in the folder where it was started; and its page."""
    monkeypatch.chdir(tmp_path)
    studio, page = make_studio_of_tones(tmp_path)
    yield studio, page
    studio.close()


@pytest.fixture
def studio(made):
    return made[0]


@pytest.fixture
def asked(made):
    return made[1]


def wait(page, *, until):
    end = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < end:
        state = page.get("/api/training").json()
        if until(state):
            return state
        assert state["state"] in ("running", "stopping"), state
        time.sleep(0.1)
    raise AssertionError(state)


def is_over(state):
    return state["state"] not in ("running", "stopping")


def test_a_training_is_stopped_gone_on_with_and_scored_as_any_run(asked, tmp_path, capsys):
    started = asked.post("/api/training", json={"small": True, "epochs": 80})
    assert started.json()["state"] == "running"
    again = asked.post("/api/training", json={})
    assert (again.status_code, "a training is running" in again.text.lower()) == (409, True)
    seen = wait(asked, until=lambda state: state["parts"])
    assert {row["set"] for row in seen["parts"][0]["epochs"]} == {"train", "validation"}
    assert asked.delete("/api/training").json()["state"] == "stopping"
    stopped = wait(asked, until=is_over)
    assert stopped["state"] == "stopped"
    [run] = asked.get("/api/runs").json()["runs"]
    assert (run["name"], run["state"]) == (stopped["run"], "unfinished")

    assert asked.post(f"/api/runs/{run['name']}/resume", json={}).status_code == 200
    state = wait(asked, until=is_over)
    assert (state["state"], state["run"]) == ("finished", run["name"]), state
    assert state["parts"][-1]["epochs"][-1]["epoch"] == 80
    folder = RunFolder(tmp_path / "runs" / run["name"])
    assert folder.finished
    score = asked.get(f"/api/runs/{run['name']}").json()
    assert score["accuracy"] == folder.metrics()["test"]["accuracy"]
    advice = folder.manifest()["advice"]
    # Tones of four speakers, three of each: nobody could call that enough.
    assert "3 more people, 8 clips of each word each: so far 4 people recorded." in advice["most"]
    assert (score["advice"], score["advice_basis"]) == (advice["most"], advice["basis"])
    assert [each["speaker"] for each in score["by_speaker"]]
    report = asked.get(f"/runs/{run['name']}/report.html")
    assert "sandbox allow-scripts" in report.headers["content-security-policy"]
    assert run["name"] in report.text
    show_run(folder)
    terminal = capsys.readouterr().out
    for sentence in (*advice["most"], advice["basis"]):
        assert sentence in terminal
        assert sentence in html.unescape(report.text)
    assert asked.get(f"/runs/{run['name']}/model.onnx").content == folder.onnx.read_bytes()
    assert make_studio(tmp_path)[1].get("/api/runs").json()["runs"][0]["state"] == "finished"


def test_what_stops_a_training_is_told_in_its_own_words(asked, tmp_path):
    for file in (tmp_path / "clips").glob("*/*/*.wav"):
        file.write_bytes(b"no sound")
    asked.post("/api/training", json={"small": True})
    state = wait(asked, until=is_over)
    assert state["state"] == "failed"
    assert "cannot be read" in state["why"] or "could be read" in state["why"]
    assert asked.get("/api/runs").json()["runs"] == []


def test_a_run_from_words_alone_is_found_again_by_its_name(asked, made_run):
    write_text(made_run("runs/clips-20261128-060226") / "recipe.yaml", "dataset: {kind: synthetic, words: [a, b]}\n")
    assert [run["name"] for run in asked.get("/api/runs").json()["runs"]] == ["clips-20261128-060226"]


def test_words_alone_are_given_to_the_voices_with_what_is_spoken(tmp_path):
    studio, page = make_studio(tmp_path)
    page.put("/api/words", json={"words": [{"word": "0", "spoken": "zero"}, {"word": "stop"}]})
    wanted = studio.wanted({"language": "de", "epochs": 3})
    assert wanted.arguments == [
        "--words-file",
        str(tmp_path / "clips" / "words.txt"),
        "--language",
        "de",
        "--epochs",
        "3",
    ]
    assert read_words_file(wanted.words_file).texts == {"0": "zero", "stop": "stop"}
    page.put("/api/words", json={"words": [{"word": "a=b"}, {"word": "stop"}]})
    assert "cannot say 'a=b'" in page.post("/api/training", json={}).text


def test_runs_of_other_recordings_are_not_shown(asked, made_run, tmp_path):
    made_run("runs/other")
    made_run("runs/clipsize")
    assert asked.get("/api/runs").json()["runs"] == []


def test_a_training_is_stopped_with_its_page(asked, studio, tmp_path):
    asked.post("/api/training", json={"small": True, "epochs": 1000})
    wait(asked, until=lambda state: state["parts"])
    studio.close()
    assert asked.get("/api/training").json()["state"] == "stopped"
    [run] = make_studio(tmp_path)[1].get("/api/runs").json()["runs"]
    assert (run["state"], studio.training.running_name()) == ("unfinished", None)


def test_a_loss_that_is_no_number_is_told_as_none(tmp_path):
    run = tmp_path / "runs" / "first"
    run.mkdir(parents=True)
    (run / "log.csv").write_text("epoch,set,loss,accuracy,learning_rate,seconds\n1,train,nan,0.5,0.001,1\n")
    [part] = _progress(run)
    assert part["epochs"] == [{"epoch": 1, "set": "train", "loss": None, "accuracy": 0.5}]
