"""What a person may not read is told as that, and never as damage."""

import os
from pathlib import Path

import pytest

from conftest import one_line
from runs_made import train_by_program


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    return train_by_program(tmp_path_factory.mktemp("trained"))


@pytest.fixture
def forbid(monkeypatch):
    """Forbid this process, which may be root's, to open a file; or to look into a folder."""

    def refuse(function, is_forbidden):
        def call(path, *arguments, **options):
            if is_forbidden(path):
                raise PermissionError(13, "Permission denied", str(path))
            return function(path, *arguments, **options)

        return call

    def make(forbidden):
        monkeypatch.setattr(Path, "open", refuse(Path.open, lambda path: path == forbidden))
        below = f"{forbidden}{os.sep}"
        monkeypatch.setattr(os, "stat", refuse(os.stat, lambda path: str(path).startswith(below)))
        monkeypatch.setattr(os, "scandir", refuse(os.scandir, lambda path: path == str(forbidden)))

    return make


@pytest.mark.parametrize(
    ("command", "file"),
    [
        (["card", "run"], "run/recipe.yaml"),
        (["card", "run"], "run/metrics.json"),
        (["evaluate", "run"], "run/recipe.yaml"),
        (["evaluate", "run"], "run/model.safetensors"),
        (["predict", "tones/high/ann_0.wav", "--model", "run"], "run/model.onnx"),
        (["compare", "run", "run"], "run/predictions.csv"),
        (["train", "tones.yaml"], "tones.yaml"),
        (["train", "clips.csv"], "clips.csv"),
        (["spot", "tones/high", "--model", "run", "--truth", "clips.csv"], "clips.csv"),
        (["train", "--words-file", "clips.csv"], "clips.csv"),
    ],
)
def test_a_file_that_may_not_be_read(trained, command, file, program, monkeypatch, forbid):
    monkeypatch.chdir(trained)
    (trained / "clips.csv").write_text("path,label\na.wav,high\n")
    forbid(trained / file)
    forbid(Path(file))
    code, _, err = program(*command)
    assert code == 2
    assert "no permission to open it; change its permissions" in one_line(err)
    assert Path(file).name in one_line(err)


@pytest.mark.parametrize("command", [["train"], ["data", "info"]], ids=" ".join)
def test_a_folder_that_may_not_be_read(trained, command, program, forbid):
    forbid(trained / "tones")
    code, _, err = program(*command, trained / "tones")
    assert code == 2
    assert one_line(err) == f"sayso: {trained}/tones: cannot be read (Permission denied); check its permissions"
