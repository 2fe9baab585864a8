"""The Talk page in Chromium, with a microphone that plays a file."""

import numpy as np
import pytest

from browser import needs_model_in_chromium, open_chromium, serve_folder, wait_for, write_microphone
from sayso.delivery.web import export_web
from tone_model_made import make_tone_model, recording

pytestmark = needs_model_in_chromium
READY = "return document.querySelector('.talk button')?.disabled === false"


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("talk")
    export_web(make_tone_model(folder / "model.onnx", threshold=0.6), folder / "page")
    return folder / "page"


def test_words_that_the_microphone_hears_are_told(page, tmp_path):
    words = [("low", 2.5), ("high", 4.2), ("low", 5.9)]
    sound = np.concatenate((recording(7.0, words, rate=48_000), np.zeros(20 * 48_000, np.float32)))
    microphone = write_microphone(tmp_path / "microphone.wav", sound, 48_000)
    with serve_folder(page) as url, open_chromium(microphone) as chromium:
        chromium.get(url)
        wait_for(chromium, READY)
        chromium.execute_script("document.querySelector('.talk button').click()")
        rows = wait_for(
            chromium,
            "const rows = [...document.querySelectorAll('[aria-label=Detections] tbody tr')];"
            "return rows.length >= 3 && rows.map(row => [...row.children].map(cell => cell.textContent))",
        )
        assert [word for word, _, _ in rows] == ["low", "high", "low"]
        heard = [float(until.split()[0]) for _, _, until in reversed(rows)]
        # Chromium may play a little of the file before the page listens; gaps between words are as they were said.
        assert np.diff(heard) == pytest.approx([1.7, 1.7], abs=0.17)
        assert wait_for(chromium, "return document.querySelector('.said strong')?.textContent") == "low"
        facts = chromium.execute_script("return document.querySelector('.details').innerText")
        assert "no gain control, echo cancelling or noise suppression" in facts
        assert [each for each in chromium.get_log("browser") if each["level"] == "SEVERE"] == []
