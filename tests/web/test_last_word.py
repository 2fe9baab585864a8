"""The last seconds that a microphone heard: as they came, cut to the word that was got wrong, saved as a file."""

import time

import numpy as np
import pytest
import soundfile
import soxr

from browser import RATE, chromium, needs_model_in_browser, served, wait_for, write_fake_sound
from sayso.delivery.web import export_web
from tone_model_made import PITCHES, make_tone_model, recording

pytestmark = needs_model_in_browser
READY = "return document.querySelector('.talk button')?.disabled === false"
LISTEN = "document.querySelector('.talk button').click()"
HEARD = "return document.querySelectorAll('[aria-label=Detections] tbody th').length"
SAVE = ".talk .bar button.quiet"


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("last")
    export_web(make_tone_model(folder / "model.onnx", threshold=0.6), folder / "page")
    return folder / "page"


def loudest_hertz(samples, rate):
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return np.fft.rfftfreq(len(samples), 1 / rate)[spectrum.argmax()]


def test_the_last_word_is_saved_as_it_was_heard(page, tmp_path):
    samples = np.concatenate(
        (recording(6.0, [("low", 2.5), ("high", 4.5)], rate=RATE), np.zeros(20 * RATE, np.float32))
    )
    write_fake_sound(tmp_path / "sound.wav", samples)
    saved = tmp_path / "saved"
    with served(page) as url, chromium(tmp_path, sound=tmp_path / "sound.wav") as driver:
        driver.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(saved)})
        driver.get(url)
        wait_for(driver, READY)
        assert not driver.find_element("css selector", SAVE).is_enabled()
        driver.execute_script(LISTEN)
        wait_for(driver, f"{HEARD} >= 2")
        driver.find_element("css selector", SAVE).click()
        until = time.monotonic() + 20
        while not list(saved.glob("*.wav")) and time.monotonic() < until:
            time.sleep(0.1)
        driver.execute_script(LISTEN)
        assert not driver.find_element("css selector", SAVE).is_enabled()
        rate = driver.execute_script("return new AudioContext().sampleRate")
        assert [each for each in driver.get_log("browser") if each["level"] == "SEVERE"] == []
    [path] = saved.glob("*.wav")
    assert path.name.startswith("sayso-high-")
    clip, clip_rate = soundfile.read(path)
    assert clip_rate == rate
    assert loudest_hertz(clip, clip_rate) == pytest.approx(PITCHES["high"], rel=0.02)
    # All of the word is in it, and nothing of the one before.
    word = recording(6.0, [("high", 4.5)], rate=RATE)
    assert np.abs(clip).max() == pytest.approx(np.abs(word).max(), rel=0.1)
    assert np.square(clip).sum() / clip_rate == pytest.approx(np.square(word).sum() / RATE, rel=0.15)


def test_all_that_was_heard_is_given_without_a_gap(page, tmp_path):
    """Ten seconds of it at the microphone's own rate, without a gap, though only the last ten are kept."""
    rng = np.random.default_rng(0)
    # Of deep noise samples between the samples are known: the browser may start anywhere, and resample.
    noise = soxr.resample(0.3 * rng.uniform(-1, 1, 18 * 4_000), 4_000, RATE)
    write_fake_sound(tmp_path / "sound.wav", noise)
    script = """
    const [done] = arguments;
    window.talk = import("./sayso.js").then(({ Sayso }) => Sayso.load("./")).then(async (recogniser) => {
      await recogniser.recent().catch((error) => (window.before = error.kind));
      const { sampleRate } = await recogniser.listen();
      await new Promise((resolve) => setTimeout(resolve, 12_000));
      const { samples, settings, at } = await recogniser.recent();
      recogniser.close();
      done({ samples: [...samples], sampleRate, settings, late: Date.now() - at, before: window.before });
    });
    """
    with served(page) as url, chromium(tmp_path, sound=tmp_path / "sound.wav") as driver:
        driver.get(url)
        told = driver.execute_async_script(script)
    heard, rate = np.array(told["samples"]), told["sampleRate"]
    assert told["before"] == "no-microphone"
    assert told["settings"]["autoGainControl"] is False
    assert told["late"] < 2_000
    assert len(heard) == 10 * rate
    expected = soxr.resample(noise, RATE, rate)
    # Where in the file it begins is found from its first second; second by second it is the file then, without a gap.
    first = np.fft.rfft(heard[:rate], len(expected))
    start = int(np.fft.irfft(np.fft.rfft(expected) * first.conj(), len(expected)).argmax())
    for place in range(0, len(heard), rate):
        second, played = heard[place : place + rate], expected[start + place : start + place + rate]
        alike = second @ played / np.linalg.norm(second) / np.linalg.norm(played)
        assert alike > 0.99, place / rate
        assert np.linalg.norm(second) == pytest.approx(np.linalg.norm(played), rel=0.03)


@pytest.mark.parametrize(
    ("ago", "expected"),
    [(0.5, ["yes", None]), (9.8, [None]), (None, [None])],
)
def test_cuts_are_where_the_word_was(page, tmp_path, ago, expected):
    """Ten seconds with a click at second 9, and a louder one at second 3: what comes after a detection counts first."""
    script = """
    const [ago, done] = arguments;
    import("./clip.js").then(({ cutClips }) => {
      const samples = new Float32Array(100_000);
      samples[90_000] = 0.5;
      samples[30_000] = 0.9;
      const detection = ago === null ? null : { word: "yes", start: 4, end: 5, at: 50_000 - 1000 * ago };
      const cuts = cutClips({ samples, sampleRate: 10_000, at: 50_000 }, detection, 1);
      const told = ({ heard, samples: cut }) => ({ word: heard?.word, size: cut.length, peak: Math.max(...cut) });
      done(cuts.map(told));
    });
    """
    with served(page) as url, chromium(tmp_path) as driver:
        driver.get(url)
        cuts = driver.execute_async_script(script, ago)
    assert [cut["word"] for cut in cuts] == expected
    peaks = [round(cut["peak"], 3) for cut in cuts]
    assert peaks == {0.5: [0.5, 0.9], 9.8: [0.9], None: [0.9]}[ago]
    assert all(15_000 <= cut["size"] <= 16_000 for cut in cuts)
