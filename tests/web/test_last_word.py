"""The last seconds that a microphone heard: as they came, cut to the word that was got wrong, saved as a file."""

import numpy as np
import pytest
import soundfile

from browser import (
    RATE,
    chromium,
    downloaded,
    keep_downloads,
    needs_model_in_browser,
    served,
    wait_for,
    write_fake_sound,
)
from sayso.delivery.web import export_web
from tone_model_made import PITCHES, make_tone_model, recording

pytestmark = needs_model_in_browser
READY = "return document.querySelector('.talk button')?.disabled === false"
LISTEN = "document.querySelector('.talk button').click()"
HEARD = "return document.querySelectorAll('[aria-label=Detections] tbody th').length"
SAVE = ".talk .bar button.quiet"
LISTENER = """
registerProcessor("listener", class extends AudioWorkletProcessor {
  process([channels]) {
    if (channels.length) this.port.postMessage(channels[0].slice());
    return true;
  }
});
"""


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
        keep_downloads(driver, saved)
        driver.get(url)
        wait_for(driver, READY)
        assert not driver.find_element("css selector", SAVE).is_enabled()
        driver.execute_script(LISTEN)
        wait_for(driver, f"{HEARD} >= 2")
        driver.find_element("css selector", SAVE).click()
        path = downloaded(saved, "*.wav")
        driver.execute_script(LISTEN)
        assert not driver.find_element("css selector", SAVE).is_enabled()
        rate = driver.execute_script("return new AudioContext().sampleRate")
        assert [each for each in driver.get_log("browser") if each["level"] == "SEVERE"] == []
    assert path.name.startswith("sayso-high-")
    clip, clip_rate = soundfile.read(path)
    assert clip_rate == rate
    assert loudest_hertz(clip, clip_rate) == pytest.approx(PITCHES["high"], rel=0.02)
    # All of the word is in it, and nothing of the one before.
    word = recording(6.0, [("high", 4.5)], rate=RATE)
    assert np.abs(clip).max() == pytest.approx(np.abs(word).max(), rel=0.1)
    assert np.square(clip).sum() / clip_rate == pytest.approx(np.square(word).sum() / RATE, rel=0.15)


def test_all_that_was_heard_is_given_without_a_gap(page, tmp_path):
    """Ten seconds, though only the last ten are kept: number for number what the browser gave the page meanwhile.

    What a busy browser leaves out between its microphone and the page is not the page's: a second listener in the same
    audio graph hears what the page could hear.
    """
    write_fake_sound(tmp_path / "sound.wav", 0.3 * np.random.default_rng(0).uniform(-1, 1, 18 * RATE))
    (page / "listener.js").write_text(LISTENER)
    script = """
    const [done] = arguments;
    const blocks = [];
    const { createMediaStreamSource } = AudioContext.prototype;
    const { addModule } = AudioWorklet.prototype;
    AudioWorklet.prototype.addModule = async function (url) {
      await addModule.call(this, "./listener.js");
      await addModule.call(this, url);
    };
    AudioContext.prototype.createMediaStreamSource = function (stream) {
      const source = createMediaStreamSource.call(this, stream);
      const node = new AudioWorkletNode(this, "listener", { channelCount: 1, channelCountMode: "explicit" });
      node.port.onmessage = ({ data }) => blocks.push(data);
      source.connect(node).connect(this.destination);
      return source;
    };
    const wait = (seconds) => new Promise((resolve) => setTimeout(resolve, 1000 * seconds));
    import("./sayso.js").then(({ Sayso }) => Sayso.load("./")).then(async (recogniser) => {
      let before;
      await recogniser.recent().catch((error) => (before = error.kind));
      const { sampleRate } = await recogniser.listen();
      await wait(12);
      const { samples, settings, at } = await recogniser.recent();
      const late = Date.now() - at;
      await wait(0.5); // until all has come here, too
      recogniser.close();
      const given = blocks.flatMap((block) => [...block]);
      done({ samples: [...samples], given, sampleRate, settings, late, before });
    }).catch((error) => done({ fault: String(error) }));
    """
    with served(page) as url, chromium(tmp_path, sound=tmp_path / "sound.wav") as driver:
        driver.get(url)
        told = driver.execute_async_script(script)
    assert "fault" not in told
    heard, given = np.array(told["samples"]), np.array(told["given"])
    assert told["before"] == "no-microphone"
    assert told["settings"]["autoGainControl"] is False
    assert told["late"] < 2_000
    assert len(heard) == 10 * told["sampleRate"]
    assert np.abs(heard).max() > 0.1
    assert heard.tobytes() in given.tobytes()


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
