"""The exported page listens for long: what of the microphone's sound is lost, and how late its answers are.

`python -m benchmarks.long_listening [MODEL] [--seconds 600]` opens the page of a run's folder or a `model.onnx` (by
default an untrained small network that answers each 10 ms) in Chromium, whose microphone plays noise, and counts as the
page itself does: frames that the worklet was not given, sound that is missing by the clock, sound that was skipped as
answering was too slow. It ends with 1 where anything is lost.
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.in_page import RATE
from benchmarks.live_step import TC_RESNET, export_untrained
from sayso.delivery.web import export_web

BLOCK_SECONDS = 0.02
_SHOW = """
const [done] = arguments;
const shown = import("./talk.js").then(({ showTalk }) => showTalk(document.querySelector("#talk"), { url: "./" }));
shown.then((recogniser) => {
  window.recogniser = recogniser;
  window.latency = [];
  const show = recogniser.onhop;
  recogniser.onhop = (heard) => { window.latency.push(heard.latency); show(heard); };
  done();
});
"""
_LOST = """
const { lost } = recogniser;
const row = [...document.querySelectorAll(".details tr")].find((each) => each.firstChild.textContent === "Lost");
return { ...lost, told: row.lastChild.textContent, latency };
"""


def main() -> None:
    """Listen, and print what was lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path, nargs="?")
    parser.add_argument("--seconds", type=float, default=600)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = options.model or export_untrained(TC_RESNET | {"stream": {"hop_seconds": 0.01}}, folder / "model")
        told = _listen(export_web(model, folder / "page").folder, folder, options.seconds)
    delays = np.array(told.pop("latency")[100:])
    print(json.dumps(told))
    blocks = (told["dropped"] + told["skipped"]) / BLOCK_SECONDS
    print(f"{options.seconds:g} s, {len(delays):,} answers: {blocks:.2f} blocks of {1000 * BLOCK_SECONDS:g} ms lost")
    print(
        "  ".join(f"p{share} {np.percentile(delays, share):.0f} ms" for share in (50, 99)),
        f" most {delays.max():.0f} ms",
    )
    sys.exit(blocks >= 1)


def _listen(page: Path, folder: Path, seconds: float) -> dict[str, object]:
    sys.path.append(str(Path(__file__).parents[1] / "tests"))
    from browser import chromium, served, wait_for, write_fake_sound

    write_fake_sound(folder / "sound.wav", 0.1 * np.random.default_rng(0).standard_normal(10 * RATE))
    with served(page) as url, chromium(folder, sound=folder / "sound.wav") as driver:
        driver.get(url)
        wait_for(driver, "return document.querySelector('.talk button')?.disabled === false")
        driver.execute_async_script(_SHOW)
        driver.execute_script("document.querySelector('.talk button').click()")
        wait_for(driver, "return recogniser.microphone && latency.length")
        time.sleep(seconds)
        return driver.execute_script(_LOST)


if __name__ == "__main__":
    main()
