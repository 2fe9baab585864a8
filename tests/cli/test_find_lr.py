"""`sayso find-lr` and the short forms of `sayso train` as a person meets them."""

import csv
import sys

import pytest

from conftest import one_line
from runs_made import small_recipe
from sayso import cli
from sayso.errors import OutputError
from sayso.recipe.recipe import read_recipe, recipe_yaml
from sayso.studies import lr_finder as rate_finding


@pytest.fixture
def sayso(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["sayso", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            cli.main()
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        return int(end.value.code or 0), out, err

    return run


def test_it_suggests_draws_and_writes(sayso, tone_folder, tmp_path):
    path = tmp_path / "tones.yaml"
    path.write_text("# mine\n" + recipe_yaml(small_recipe(tone_folder)))
    before = path.read_text()
    code, out, err = sayso("find-lr", path, "--steps", 30, "--out", "curves", "--write")
    assert code == 0, err
    rate = read_recipe(path).training.learning_rate
    assert f"suggestion   {rate:.1e}, a tenth" in out
    assert "lowest" in out
    assert path.read_text() == before.replace("learning_rate: 0.005", f"learning_rate: {rate:.1e}")
    names = {file.name for file in (tmp_path / "curves").iterdir()}
    assert names == {f"tones-learning-rate.{suffix}" for suffix in ("svg", "png", "csv")}
    with (tmp_path / "curves" / "tones-learning-rate.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    lowest = min(rows, key=lambda row: float(row["smoothed_loss"]))
    assert float(lowest["learning_rate"]) / 10 == pytest.approx(rate, rel=0.05)
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--write"], "needs a recipe's file"),
        (["--lowest", "1e20", "--highest", "1e30", "--steps", "20"], "diverged at once"),
        (["--steps", "2"], "must be at least 20"),
        (["--set", "training.epochs=0"], "training.epochs: is 0"),
    ],
)
def test_one_line_for_what_cannot_be_searched(sayso, tone_folder, tmp_path, options, says):
    code, _, err = sayso("find-lr", tone_folder, "--set", "model.width=0.5", "--set", "training.threads=1", *options)
    assert code == 2
    lines = [line for line in err.splitlines() if line.startswith("sayso: ")]
    assert len(lines) == 1
    assert says in lines[0]
    assert not (tmp_path / "pictures").exists()


def test_short_forms_stand_for_keys(sayso, tone_folder, tmp_path):
    small = ("--set", "model.width=0.5", "--set", "training.threads=1")
    short = ("--epochs", 1, "--device", "cpu", "--precision", "float32", *small)
    assert sayso("train", tone_folder, *short, "--out", "run")[0] == 0
    training = read_recipe(tmp_path / "run" / "recipe.yaml").training
    assert (training.epochs, training.device, training.precision) == (1, "cpu", "float32")
    code, _, err = sayso("train", "--resume", "run", "--epochs", 2)
    assert code == 2
    assert "do not fit it" in err


def test_what_was_found_is_shown_also_where_it_cannot_be_written(sayso, tone_folder, tmp_path, monkeypatch):
    path = tmp_path / "tones.yaml"
    path.write_text(recipe_yaml(small_recipe(tone_folder)))
    before = path.read_text()

    def full(*_, **__):
        raise OutputError("cannot write it: the disk is full")

    monkeypatch.setattr(rate_finding, "save_pictures", full)
    monkeypatch.setattr(rate_finding, "set_key", full)
    code, out, err = sayso("find-lr", path, "--steps", 20, "--write")
    assert code == 2
    assert "lowest" in out
    assert "suggestion" in out
    assert "written" not in out
    assert "tones-learning-rate.csv" in out
    assert "the disk is full" in one_line(err)
    assert path.read_text() == before


def test_write_is_tried_before_the_search(sayso, tone_folder, tmp_path, monkeypatch):
    path = tmp_path / "tones.yaml"
    text = recipe_yaml(small_recipe(tone_folder)).replace("weight_decay: 0.01", "weight_decay: &rate 0.01")
    text = "".join(line for line in text.splitlines(keepends=True) if "learning_rate" not in line)
    text = text.replace("rejection:", "  learning_rate: *rate\nrejection:")
    path.write_text(text)
    monkeypatch.setattr("sayso.training.search_learning_rate", lambda *_, **__: pytest.fail("it was searched"))
    code, _, err = sayso("find-lr", path, "--write")
    assert code == 2
    assert "cannot be set without changing more" in one_line(err)
    assert path.read_text() == text
    assert [file.name for file in tmp_path.iterdir() if file.is_file()] == ["tones.yaml"]
