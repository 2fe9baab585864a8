"""Pages of studies at 1280 and 390 pixels, light and dark: nothing keeps anybody out, nothing is too wide."""

from dataclasses import replace

import numpy as np
import pytest
import soundfile
import yaml

pytest.importorskip("selenium", reason="pages are tried in a browser by selenium")

from axe import find_faults, why_no_axe
from browser import chromium, needs_browser, show_at
from conftest import write_tones
from runs_made import small_recipe
from sayso.augment.surround import SurroundConfig
from sayso.config.schema import dump
from sayso.experiment.train import train
from sayso.runtime import Recognizer
from sayso.studies.background_curve.background_curve import background_curve
from sayso.studies.learning_curve.learning_curve import learning_curve
from sayso.studies.spotting.spot import spot
from sayso.studies.tuning.tune import tune
from sayso.web import look
from tone_model_made import make_tone_model, write_recording

pytestmark = [
    needs_browser,
    pytest.mark.slow,
    pytest.mark.skipif(bool(why_no_axe()), reason=why_no_axe()),
]
RATE = 8000


def looks_well(page, driver):
    driver.get(page.as_uri())
    driver.execute_script("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    for width, dark in ((1280, False), (1280, True), (390, False), (390, True)):
        show_at(driver, width, 844, dark=dark)
        assert find_faults(driver) == [], (page.name, width, dark)
        assert driver.execute_script("return document.documentElement.scrollWidth") <= width, page.name


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    with chromium(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture
def recipe(tmp_path):
    """A recipe of tones for streams, and a folder of background."""
    rng = np.random.default_rng(0)
    for folder in ("radio", "talk"):
        (tmp_path / folder).mkdir()
        for name in "abc":
            soundfile.write(tmp_path / folder / f"{name}.wav", 0.05 * rng.standard_normal(20 * RATE), RATE)
    small = small_recipe(write_tones(tmp_path / "tones"), epochs=4, learning_rate=2e-2)
    return replace(small, features=replace(small.features, centre=False), augment=(SurroundConfig(),))


def write(recipe, path, **rejection):
    values = dump(recipe)
    values["rejection"] |= rejection
    path.write_text(yaml.safe_dump(values), encoding="utf-8")
    return path


def test_the_longest_names_stay_in_the_box_of_a_note(driver, tmp_path):
    page = tmp_path / "note.html"
    note = f"<section class=notes><ul><li>silence in {'686d030b_' * 12}0.flac, loudest part at -66 dBFS</ul></section>"
    page.write_text(f"<!doctype html><title>note</title><style>{look()}</style><main>{note}</main>", encoding="utf-8")
    driver.get(page.as_uri())
    show_at(driver, 390, 844, dark=False)
    assert (
        driver.execute_script("const box = document.querySelector('.notes'); return box.scrollWidth - box.clientWidth")
        == 0
    )


def test_spotting_with_errors_to_hear(driver, tmp_path):
    words = [("low", 2.0), ("high", 5.0), ("low", 8.0), ("high", 11.0)]
    long = write_recording(tmp_path / "a recording with a long name of its own.wav", 14.0, words)
    truth = tmp_path / "said.txt"
    truth.write_text("1.5\t2.0\tlow\n6.5\t7.0\thigh\n7.5\t8.0\tlow\n", encoding="utf-8")
    model = Recognizer(make_tone_model(tmp_path / "model.onnx", threshold=0.6))
    found = spot([long], model, truth=truth, out=tmp_path / "page")
    looks_well(found.folder / "spotting.html", driver)


def test_a_tuning(driver, recipe, tmp_path):
    run = train(recipe, out=tmp_path / "run")
    tune(run.path, background=[tmp_path / "talk"], false_alarms_per_hour=60.0, hours=0.03)
    looks_well(run.path / "tuning.html", driver)


def test_a_learning_curve(driver, recipe, tmp_path):
    path = write(recipe, tmp_path / "recipe.yaml")
    learning_curve(path, speakers=(1, 2), clips=(3, 6), seeds=1, out=tmp_path / "curve")
    looks_well(tmp_path / "curve" / "learning-curve.html", driver)


def test_a_background_curve(driver, recipe, tmp_path):
    path = write(recipe, tmp_path / "recipe.yaml", recordings=[str(tmp_path / "radio")])
    asked = {"minutes": (0.2, 0.5), "hours": 0.02, "missed": 0.2, "seeds": 1}
    looks_well(background_curve(path, background=[tmp_path / "talk"], out=tmp_path / "curve", **asked).page, driver)
