"""Photograph the studio's five steps and the static Talk page: `python docs/studio_pictures.py [FOLDER]`.

Synthetic voices stand in for people, and nobody is recorded. It needs the extras `train`, `voices` and `serve`,
Chromium with its driver, and onnxruntime-web (`make web`). All pictures, 1280 and 390 pixels wide, light and dark, go
to FOLDER, by default build/studio-pictures; those that the how-tos show, to docs/studio.
"""

import shutil
import subprocess
import sys
import time
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import soxr
from PIL import Image

sys.path.append(str(Path(__file__).parents[1] / "tests"))
from browser import RATE, chromium, served, show_at, wait_for, why_no_model, write_fake_sound
from sayso.audio import decode
from sayso.data.datasets.synthetic import SyntheticConfig
from sayso.delivery.web import export_web
from sayso.runs.folder import list_runs
from sayso.studio.recordings import Recordings
from sayso.system.progress import Progress

DOCS = Path(__file__).parent / "studio"
WORDS = ("lights on", "lights off", "stop")
PEOPLE = ("Anna", "Ben", "Chiara", "David", "Emma")
CLIPS = 4
WIDTHS, HEIGHT, TALLEST = (1280, 390), 900, 1600
SHOWN = (
    "record-1280-light",
    "train-390-light",
    "score-1280-dark",
    "wrong-1280-light",
    "talk-390-dark",
    "static-1280-light",
)
COLOURS = 256
TRAIN_SECONDS = 900


def main() -> int:
    """Take all pictures; say which are too large for the docs."""
    if why := why_no_model():
        print(why)
        return 2
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "build/studio-pictures")
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as name:
        place = Path(name)
        _fill(Recordings(place / "my-clips"))
        sound = place / "microphone.wav"
        _speak(place / "my-clips", sound)
        with _studio(place) as url, chromium(place, sound=sound) as driver:
            driver.get(url)
            _steps(driver, folder)
        [run] = list_runs(place / "runs")
        export_web(run.onnx, place / "page")
        with served(place / "page") as url, chromium(place / "static", sound=sound) as driver:
            driver.get(url)
            wait_for(driver, "return document.querySelector('#offline').textContent")
            _take(driver, folder, "static", begin=_listen)
    shutil.rmtree(DOCS, ignore_errors=True)
    DOCS.mkdir()
    for name in SHOWN:
        shutil.copy(folder / f"{name}.png", DOCS)
    for path in sorted(DOCS.glob("*.png")):
        print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")
    return 0


def _fill(recordings: Recordings) -> None:
    """Have each person say each word."""
    recordings.set_words([(word, "") for word in WORDS])
    clips = SyntheticConfig(words=WORDS, voices=len(PEOPLE), clips_per_voice=CLIPS).listing(Progress()).clips
    voices = sorted({clip.speaker for clip in clips if clip.speaker})
    for clip in clips:
        samples, rate = decode(Path(clip.path))
        person = PEOPLE[voices.index(clip.speaker or "")]
        recordings.add(clip.label, person, samples, round(rate), facts={})


def _speak(folder: Path, sound: Path) -> None:
    """Write what the microphone hears: one clip of each word after another."""
    pause = np.zeros(round(1.2 * RATE))
    parts = [pause]
    for word in WORDS:
        clip = sorted((folder / word.replace(" ", "-")).rglob("*.flac")) or sorted((folder / word).rglob("*.flac"))
        samples, rate = decode(clip[0])
        parts += [soxr.resample(samples, rate, RATE), pause]
    write_fake_sound(sound, np.concatenate(parts))


@contextmanager
def _studio(place: Path) -> Iterator[str]:
    command = [sys.executable, "-m", "sayso", "studio", "my-clips", "--port", "0", "--no-browser"]
    process = subprocess.Popen(command, cwd=place, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout
    try:
        yield process.stdout.readline().strip()
    finally:
        process.send_signal(2)
        process.wait()


def _steps(driver: Any, folder: Path) -> None:
    wait_for(driver, "return document.body.dataset.shown !== undefined")
    _go(driver, "words")
    _take(driver, folder, "words")
    _go(driver, "record")
    speaker = driver.find_element("id", "speaker")
    speaker.send_keys("Anna\ue007")
    wait_for(driver, "return document.querySelectorAll('#clips button').length")
    _take(driver, folder, "record")
    _go(driver, "train")
    driver.find_element("id", "train-start").click()
    wait_for(
        driver,
        "return /Finished|error/.test(document.getElementById('train-state').textContent)",
        seconds=TRAIN_SECONDS,
    )
    _take(driver, folder, "train")
    _go(driver, "score")
    wait_for(driver, "return document.getElementById('score-accuracy').textContent")
    _take(driver, folder, "score")
    _go(driver, "talk")
    _take(driver, folder, "talk", begin=_listen)
    _take(driver, folder, "wrong", begin=_say_it_was_wrong)


def _go(driver: Any, step: str) -> None:
    driver.execute_script("delete document.body.dataset.shown")
    driver.find_element("css selector", f".steps a[href='#{step}']").click()
    if driver.execute_script("return document.body.dataset.shown") is None:
        wait_for(driver, f"return document.body.dataset.shown === '{step}'")


def _listen(driver: Any) -> None:
    """Begin anew, and hear every word."""
    driver.execute_script("document.querySelector('form.wrong .quiet')?.click()")
    driver.refresh()
    wait_for(driver, "return document.querySelector('.talk .bar button')?.disabled === false")
    driver.find_element("css selector", ".talk .bar button").click()
    heard = "document.querySelectorAll('[aria-label=Detections] tbody th').length"
    wait_for(driver, f"return {heard} >= {len(WORDS)}", seconds=60)


def _say_it_was_wrong(driver: Any) -> None:
    _listen(driver)
    driver.find_element("css selector", ".bar button.quiet").click()
    wait_for(driver, "return document.querySelector('form.wrong')")


def _take(driver: Any, folder: Path, name: str, begin: Callable[[Any], None] | None = None) -> None:
    for width in WIDTHS:
        for dark in (False, True):
            show_at(driver, width, HEIGHT, dark=dark)
            if begin:
                begin(driver)
            height = min(TALLEST, driver.execute_script("return document.documentElement.scrollHeight"))
            # Chromium draws no frame of another origin, as the report's is, that lies beyond the screen.
            show_at(driver, width, height, dark=dark)
            time.sleep(1)  # for what is drawn anew
            taken = b64decode(driver.execute_cdp_cmd("Page.captureScreenshot", {})["data"])
            with Image.open(BytesIO(taken)) as picture:
                few = picture.convert("RGB").quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
                few.save(folder / f"{name}-{width}-{'dark' if dark else 'light'}.png", optimize=True)


if __name__ == "__main__":
    sys.exit(main())
