"""An exported page without a network opens and answers as it did, and a new export is never mixed with an old one."""

import os
import shutil
from urllib.parse import urlsplit

import numpy as np
import pytest

from browser import chromium, needs_model_in_browser, served, wait_for
from sayso.delivery.web import export_web
from tone_model_made import RATE, make_tone_model, recording

pytestmark = needs_model_in_browser
READY = "return document.querySelector('.talk button')?.disabled === false"
KEPT = "return document.querySelector('#offline').textContent.includes('without a network')"
MODEL = "return document.querySelector('.words output').textContent"
ASK = """
const [samples, rate, done] = arguments;
import("./sayso.js").then(({ Sayso }) => Sayso.load("./")).then(async (recogniser) => {
  const words = await recogniser.feed(Float32Array.from(samples), rate);
  recogniser.close();
  done(words.map(({ word }) => word));
}, (error) => done(error.message));
"""
CACHES = "const done = arguments[0]; caches.keys().then(done);"
# The name of a cache is the hash of its worker, which has filled it once it is the active one.
UPDATED = """
const [before, done] = arguments;
const look = async () => {
  const names = await caches.keys();
  const { installing, waiting, active } = await navigator.serviceWorker.ready;
  const isFilled = !installing && !waiting && active.state === "activated";
  if (isFilled && names.length === 1 && names[0] !== before) done(names[0]);
  else setTimeout(look, 100);
};
look();
"""


@pytest.fixture(scope="module")
def exports(tmp_path_factory):
    """Two exports of the same words, which differ in a threshold."""
    folder = tmp_path_factory.mktemp("exports")
    for name, threshold in (("old", 0.6), ("new", 0.7)):
        export_web(make_tone_model(folder / "model.onnx", threshold=threshold), folder / name)
    return folder


@pytest.fixture
def place(tmp_path, exports):
    shutil.copytree(exports / "old", tmp_path / "page")
    return tmp_path / "page"


def put(exports, name, place):
    """Put an export in the place of another; its files are older, as after going back to one of before."""
    shutil.rmtree(place)
    shutil.copytree(exports / name, place)
    for path in place.rglob("*"):
        os.utime(path, (1e9, 1e9))


def test_the_page_answers_when_the_server_has_gone(place, tmp_path):
    sent = {}
    samples = recording(4.0, [("low", 1.5), ("high", 3.0)], rate=RATE).tolist()
    with chromium(tmp_path) as driver:
        with served(place, sent=sent) as url:
            driver.get(url)
            wait_for(driver, KEPT)
        # Keeping them has loaded nothing a second time but what names the export.
        whole = sum(path.stat().st_size for path in place.rglob("*") if path.is_file() and "LICENSES" not in path.parts)
        worker = (place / "service-worker.js").stat().st_size
        assert whole <= sum(sent.values()) <= whole + 2 * worker
        for address in (url, f"{url}index.html", f"{url}?from=a-bookmark#talk"):
            driver.get("about:blank")
            driver.get(address)
            wait_for(driver, READY)
            assert driver.execute_async_script(ASK, samples, RATE) == ["low", "high"]
        driver.refresh()
        wait_for(driver, READY)
        assert driver.execute_script(MODEL) == "from 0.6 on"


def test_a_new_export_is_shown_at_once_and_is_what_is_kept(place, exports, tmp_path):
    with chromium(tmp_path) as driver:
        with served(place) as url:
            driver.get(url)
            wait_for(driver, KEPT)
            [before] = driver.execute_async_script(CACHES)
        port = urlsplit(url).port
        put(exports, "new", place)
        with served(place, port=port):
            driver.get(url)
            wait_for(driver, READY)
            assert driver.execute_script(MODEL) == "from 0.7 on"
            driver.execute_async_script(UPDATED, before)
        driver.refresh()
        wait_for(driver, READY)
        assert driver.execute_script(MODEL) == "from 0.7 on"
        assert np.array_equal(driver.execute_async_script(ASK, [0.0] * RATE, RATE), [])


def test_an_export_that_is_there_by_half_is_not_kept(place, exports, tmp_path):
    """A page whose files are still being copied to its host is loaded from there; the old one is gone for good."""
    with chromium(tmp_path) as driver:
        with served(place) as url:
            driver.get(url)
            wait_for(driver, KEPT)
        port = urlsplit(url).port
        for name in ("service-worker.js", "model.json"):
            shutil.copy(exports / "new" / name, place / name)
        (place / "talk.css").write_text("half a file")
        with served(place, port=port):
            driver.get(url)
            wait_for(driver, READY)
            assert driver.execute_script(MODEL) == "from 0.7 on"
            assert driver.execute_async_script(CACHES) == []
        put(exports, "new", place)
        with served(place, port=port):
            driver.get(url)
            wait_for(driver, READY)
            wait_for(driver, KEPT)
            driver.execute_async_script(UPDATED, "")
        driver.refresh()
        wait_for(driver, READY)
        assert driver.execute_script(MODEL) == "from 0.7 on"


def test_where_another_page_has_come_nothing_old_is_shown(place, tmp_path):
    with chromium(tmp_path) as driver:
        with served(place) as url:
            driver.get(url)
            wait_for(driver, KEPT)
        shutil.rmtree(place)
        place.mkdir()
        (place / "index.html").write_text("<title>another</title>")
        with served(place, port=urlsplit(url).port):
            driver.get(url)
            assert driver.title == "another"


def test_a_page_by_plain_http_from_elsewhere_is_not_kept_and_works(place, tmp_path):
    with (
        served(place) as url,
        chromium(tmp_path, flags=["--host-resolver-rules=MAP other.example 127.0.0.1"]) as driver,
    ):
        driver.get(url.replace("localhost", "other.example"))
        wait_for(driver, READY)
        assert driver.execute_script("return document.querySelector('#offline').textContent") == ""
        assert [each for each in driver.get_log("browser") if each["level"] == "SEVERE"] == []
