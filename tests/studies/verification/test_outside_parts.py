"""Features of another package: whose they are stands in the manifest, and verify names them when answers change."""

import importlib
import sys
from pathlib import Path

import pytest

from conftest import write_tones
from runs_made import small_recipe
from sayso.config.outside import find_changed_parts, find_outside_parts
from sayso.config.schema import dump
from sayso.experiment.train import train
from sayso.features import FEATURES
from sayso.recipe.recipe import recipe_from_values
from sayso.studies.verification.verify import verify

MODULE = """
from dataclasses import dataclass

from sayso.features import FEATURES
from sayso.features.mel import Mel, MelConfig
from outsiders.gain import GAIN


@FEATURES.register("outside_mel")
@dataclass(frozen=True, kw_only=True)
class OutsideMelConfig(MelConfig):
    def build(self, audio):
        made = super().build(audio)
        return OutsideMel(made.bands, made.compress, frames=made.shape[2])


class OutsideMel(Mel):
    def forward(self, samples):
        return GAIN * super().forward(samples)
"""


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Install a package with a feature; gives a function that brings another version of it."""
    root = tmp_path / "site"
    FEATURES.names()
    monkeypatch.setattr(FEATURES, "_parts", dict(FEATURES._parts))
    monkeypatch.syspath_prepend(root)

    def install(version: str, gain: str) -> None:
        for name in [name for name in sys.modules if name.partition(".")[0] == "outsiders"]:
            del sys.modules[name]
        (root / "outsiders").mkdir(parents=True, exist_ok=True)
        (root / "outsiders" / "__init__.py").write_text("")
        (root / "outsiders" / "gain.py").write_text(f"GAIN = {gain}\n")
        (root / "outsiders" / "mel.py").write_text(MODULE)
        for old in root.glob("*.dist-info/*"):
            old.unlink()
        facts = root / "outside_parts.dist-info"
        facts.mkdir(exist_ok=True)
        (facts / "METADATA").write_text(f"Metadata-Version: 2.1\nName: outside-parts\nVersion: {version}\n")
        (facts / "top_level.txt").write_text("outsiders\n")
        importlib.invalidate_caches()
        sys.dont_write_bytecode = True  # files change within one second here
        importlib.import_module("outsiders.mel")

    before = sys.dont_write_bytecode
    yield install
    sys.dont_write_bytecode = before
    for name in [name for name in sys.modules if name.partition(".")[0] == "outsiders"]:
        del sys.modules[name]


def recipe_of(folder: Path):
    values = dump(small_recipe(folder))
    return recipe_from_values(values | {"features": {"kind": "outside_mel", "n_mels": 12}}, source="test")


def told(path: Path) -> dict[str, tuple[bool | None, str]]:
    return {check.name: (check.holds, check.detail) for check in verify(path)}


def test_a_run_says_by_whose_code_it_was_made_and_verify_what_became_of_it(package, tmp_path):
    package("1.0", "1.0")
    run = train(recipe_of(write_tones(tmp_path / "tones")), out=tmp_path / "run")
    (part,) = run.manifest()["outside_parts"]
    assert (part["kind"], part["package"], part["version"]) == ("outside_mel", "outside-parts", "1.0")
    assert len(part["code"]) == 64
    assert told(run.path)["add-ons"] == (True, "1 part of another package: the same versions and code")

    package("1.0", "1.0 + 0.0")  # a file beside the part's own
    answers = told(run.path)
    assert answers["add-ons"] == (None, "outside_mel of outside-parts 1.0 has other code")
    assert answers["weights"][0]

    package("1.1", "3.0")
    answers = told(run.path)
    assert answers["add-ons"] == (None, "outside_mel of outside-parts 1.0 is now of outside-parts 1.1")
    holds, detail = answers["weights"]
    assert holds is False
    assert detail.endswith("; since then outside_mel of outside-parts 1.0 is now of outside-parts 1.1")

    del FEATURES._parts["outside_mel"]
    answers = told(run.path)
    assert answers["add-ons"] == (None, "outside_mel of outside-parts 1.0 is not here")
    assert answers["clips"][0] is None


def test_parts_of_sayso_are_not_named(tone_folder):
    assert find_outside_parts(small_recipe(tone_folder)) == []


def test_what_changed_is_said():
    was = {"kind": "mine", "package": "parts", "version": "1.0", "code": "a"}
    assert find_changed_parts([was], [{**was}]) == []
    assert find_changed_parts([was], [{**was, "code": "b"}]) == ["mine of parts 1.0 has other code"]
    assert find_changed_parts([was], [{**was, "version": "2.0", "code": "b"}]) == [
        "mine of parts 1.0 is now of parts 2.0"
    ]
    assert find_changed_parts([was], []) == ["mine of parts 1.0 is not here"]
