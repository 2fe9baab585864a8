"""A curve over minutes of background: what is trained, what is heard, what is kept and what is refused."""

import json

import numpy as np
import pytest
import soundfile
import yaml

from conftest import one_line, write_tones
from runs_made import small_recipe
from sayso.config.schema import dump
from sayso.studies.background_curve import background_curve as module
from sayso.studies.background_curve.background_curve import background_curve

RATE = 8000
ASKED = {"minutes": (0.2, 0.5), "hours": 0.02, "missed": 0.2, "seeds": 1, "jobs": 2}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A recipe, a minute of background to train on in three files, and as much to test on."""
    root = tmp_path_factory.mktemp("background-curve")
    rng = np.random.default_rng(0)
    for folder in ("radio", "talk"):
        (root / folder).mkdir()
        for name in "abc":
            soundfile.write(root / folder / f"{name}.wav", 0.05 * rng.standard_normal(20 * RATE), RATE)
    values = dump(small_recipe(write_tones(root / "tones"), epochs=2, learning_rate=2e-2))
    values["features"]["centre"] = False
    values["rejection"]["recordings"] = [str(root / "radio")]
    (root / "recipe.yaml").write_text(yaml.safe_dump(values))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SAYSO_CACHE", str(root / "cache"))
        done = background_curve(root / "recipe.yaml", background=[root / "talk"], out=root / "curve", **ASKED)
        yield root, done


def test_every_size_is_trained_on_so_many_minutes_and_heard_on_the_same_streams(made):
    root, done = made
    trials = sorted(path.name for path in (root / "curve" / "trials").iterdir())
    assert trials == [f"recipe-{size}-minutes-seed-0" for size in ("0.2", "0.5")]
    table = done.table
    assert [point["minutes"] for point in table["points"]] == [0.2, 0.5]
    assert all(len(point["by_seed"]) == 1 for point in table["points"])
    for point in table["points"]:
        assert point["alarms_per_hour"] == pytest.approx(np.mean(point["by_seed"]))
        assert point["ci95"][0] <= point["alarms_per_hour"] <= point["ci95"][1]
    # a.wav and c.wav choose, b.wav reports.
    assert (table["sources"], table["independent_hours"]) == (1, pytest.approx(20 / 3600))
    told = " ".join(table["notes"])
    assert "of different background to test on tell little" in told
    assert "one seed: " in told
    assert json.loads((root / "curve" / "background-curve.json").read_text()) == table
    assert "<svg" in done.page.read_text()


def test_what_was_heard_is_not_heard_again_and_other_streams_are(made, monkeypatch):
    root, done = made
    heard: list[str] = []
    real = module.hear_trial

    def watched(run, *rest, **keys):
        heard.append(run.path.name)
        return real(run, *rest, **keys)

    monkeypatch.setenv("SAYSO_CACHE", str(root / "cache"))
    monkeypatch.setattr(module, "hear_trial", watched)
    again = background_curve(root / "recipe.yaml", background=[root / "talk"], out=root / "curve", **ASKED)
    assert (heard, again.table) == ([], done.table)
    damaged = root / "curve" / "heard" / "recipe-0.2-minutes-seed-0.json"
    damaged.write_text("{")
    mended = background_curve(root / "recipe.yaml", background=[root / "talk"], out=root / "curve", **ASKED)
    assert (heard, mended.table) == (["recipe-0.2-minutes-seed-0"], done.table)
    heard.clear()
    background_curve(root / "recipe.yaml", background=[root / "talk"], out=root / "curve", **(ASKED | {"missed": 0.3}))
    assert len(heard) == 2


def refused(program, *arguments) -> str:
    code, _, err = program("background-curve", *arguments)
    assert code == 2
    return one_line(err)


def test_what_allows_no_curve_is_told_before_anything_is_trained(made, program, tmp_path, monkeypatch):
    root, _ = made
    monkeypatch.setenv("SAYSO_CACHE", str(root / "cache"))
    recipe, out = root / "recipe.yaml", ("--out", tmp_path / "out")
    assert "names no background" in refused(program, recipe, *out, "--set", "rejection.recordings=[]")
    assert "--minutes: 9 is more than the 1.00 minutes" in refused(program, recipe, *out, "--minutes", "0.5,9")
    assert "--minutes: is '1,x', must be numbers above 0" in refused(program, recipe, *out, "--minutes", "1,x")
    assert "allow no curve" in refused(program, recipe, *out, "--minutes", "0.5")
    assert "--hours: is 1e+09, must be above 0" in refused(program, recipe, *out, "--hours", "1e9")
    assert "--missed: is 1, must be above 0 and below 1" in refused(program, recipe, *out, "--missed", "1")
    assert "--rooms: is 3" in refused(program, recipe, *out, "--rooms", "3")
    assert "rejection.minutes is set by the curve itself" in refused(
        program, recipe, *out, "--set", "rejection.minutes=1"
    )
    assert "a training for every speaker at every size" in refused(
        program, recipe, *out, "--set", "split={by: each_speaker, validation: auto}", "--set", "training.keep=last"
    )
    assert "the run was trained on" in refused(program, recipe, *out, "--background", root / "radio")
    assert not (tmp_path / "out" / "trials").exists()
