"""What thresholds cost, measured in the page: the dials of Talk say it afterwards."""

import pytest

pytest.importorskip("starlette", reason="needs the extra serve")
pytest.importorskip("selenium", reason="pages are tried in a browser by selenium")

from selenium.webdriver import Keys

from browser import chromium, needs_model_in_browser, show_at, wait_for
from sayso.runs.folder import list_runs
from sayso.runtime import Recognizer
from studio_page_made import drop_files, find, go, has_no_faults, studio, train, type_words

pytestmark = [needs_model_in_browser, pytest.mark.slow]


def test_what_thresholds_cost_is_measured_in_the_page(tmp_path):
    """The dials say nothing of a model that was never measured; afterwards what each costs moves with them."""
    with studio(tmp_path) as url, chromium(tmp_path) as page:
        page.get(url)
        wait_for(page, "return document.body.dataset.shown !== undefined")
        type_words(page, "high", "low")
        drop_files(page, tmp_path, {"high": 2_400, "low": 300})
        train(page)
        go(page, "talk")
        wait_for(page, "return document.getElementById('costs-start').offsetParent")
        [run] = list_runs(tmp_path / "runs")
        before = Recognizer(run.onnx).stream
        assert "never tuned" in find(page, "#talk-body").text
        find(page, "#costs-start").click()
        has_no_faults(page)
        wait_for(page, "return /Finished|error/.test(document.getElementById('costs-state').textContent)", seconds=600)
        wait_for(page, "return document.getElementById('talk-body').textContent.includes('false alarms an hour')")
        assert find(page, "#costs-start").text == "Measure it again"
        assert Recognizer(run.onnx).stream == before
        costs = "return [...document.querySelectorAll('.words li p')].map((each) => each.textContent)"
        told = page.execute_script(costs)
        find(page, ".words input[type=range]").send_keys(Keys.HOME)
        assert page.execute_script(costs)[0] != told[0]
        looks_narrow(page)
        run.onnx.write_bytes(b"no model")
        go(page, "words")
        go(page, "talk")
        wait_for(page, "return document.querySelector('#talk-body .fault:not([hidden])')")
        assert "model.onnx: not a model that onnxruntime can open." in find(page, "#talk-body .fault").text


def looks_narrow(page):
    for width, dark in ((1280, True), (390, False)):
        show_at(page, width, 844, dark=dark)
        assert page.execute_script("return document.documentElement.scrollWidth") <= width
        has_no_faults(page)
