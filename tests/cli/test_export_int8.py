"""`sayso export --int8` as a person meets it."""

import re
import shutil

import pytest

from conftest import one_line
from runs_made import train_by_program


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    return train_by_program(tmp_path_factory.mktemp("trained"))


def test_export_of_int8_shows_it_beside_the_float_model(program, trained, tmp_path, monkeypatch):
    monkeypatch.setenv("SAYSO_CACHE", str(trained / "cache"))
    run, small = trained / "run", tmp_path / "small"
    code, out, err = program("export", run, "--int8", "--out", small, "--slower", "--points-lost", 100)
    assert code == 0, err
    told = dict(line.split(None, 1) for line in out.splitlines() if not line.startswith(" "))
    assert re.match(r"[\d.]+ % of \d+ clips right, [\d.]+ in float: .* lost \(95 % interval", told["validation"])
    assert re.match(r"[\d.]+ MB, [\d.]+ in float; its networks 0\.\d\dx$", told["size"])
    assert re.match(r"[\d.]+ ms a clip, [\d.]+ in float; its networks [\d.]+x as fast$", told["speed"])
    assert program("predict", next((trained / "tones").rglob("*.wav")), "--model", small)[0] == 0
    assert program("card", small)[1] == (small / "MODEL_CARD.md").read_text(encoding="utf-8")
    for arguments, words in (
        ((run, "--int8", "--out", small), "is there already"),
        ((small, "--int8"), "is int8 already"),
    ):
        code, out, err = program("export", *arguments)
        assert (code, out) == (2, "")
        assert words in one_line(err)
    code, _, err = program("export", run)
    assert code == 2
    assert "--int8" in err


def test_int8_needs_the_clips_that_trained(program, trained, tmp_path):
    gone = shutil.copytree(trained / "run", tmp_path / "gone")
    recipe = (gone / "recipe.yaml").read_text(encoding="utf-8")
    (gone / "recipe.yaml").write_text(recipe.replace("tones", "elsewhere"), encoding="utf-8")
    code, out, err = program("export", gone, "--int8")
    assert (code, out) == (2, "")
    assert "elsewhere" in one_line(err)
    assert not (gone / "int8").exists()
