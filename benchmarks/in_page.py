"""Models in a page: what a hop costs in Chromium, what is transferred, and when the first answer comes.

The small network answers each 10 ms, the pretrained start each 80 ms, on noise at 48 kHz: resampling is in it. Beside
as many processes that compute without end as there are cores, sound comes as it does from a microphone, and what counts
is how long the page waits for its answer. The first answer is that of the exported page, from where its address is
opened to where a bar moves: its files are loaded, the microphone is opened, a whole window is heard. The bytes are
those that the log of Chromium counts at its sockets, from `python -m http.server`, with an empty cache.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from benchmarks.contest import Contest, Figure, NotHereError
from benchmarks.live_step import PRETRAINED, TC_RESNET, export_untrained
from sayso.delivery.web import export_web

SMALL, LARGE, FIRST = "small network: a hop of 10 ms", "pretrained: a hop of 80 ms", "small network: first answer"
SMALL_BUSY, LARGE_BUSY = "small network, busy cores: p99", "pretrained, busy cores: p99"
RATE, SECONDS, BUSY_SECONDS = 48_000, 8, 20
_PACKET_SECONDS = 0.02
_SPIN = "while True: pass"
_HEAR = """
const [rate, seconds, pause, done] = arguments;
(async () => {
  const { Sayso } = await import("./sayso.js");
  const recogniser = await Sayso.load("./");
  const noise = Float32Array.from({ length: rate }, () => 0.2 * Math.random() - 0.1);
  await recogniser.feed(noise, rate);
  await recogniser.feed(noise, rate);
  const taken = [];
  const waited = [];
  let answers = 0;
  recogniser.onhop = ({ milliseconds }) => { taken.push(milliseconds); answers += 1; };
  const step = rate / 50;
  const begin = performance.now();
  for (let start = 0; start + step <= rate * seconds; start += step) {
    const late = begin + (1000 * start) / rate - performance.now();
    if (pause && late > 0) await new Promise((resolve) => setTimeout(resolve, late));
    const from = performance.now();
    answers = 0;
    await recogniser.feed(noise.subarray(start % rate, (start % rate) + step).slice(), rate);
    if (answers) waited.push(performance.now() - from);
  }
  recogniser.close();
  const at = (values, share) => values.sort((one, other) => one - other)[Math.floor(share * (values.length - 1))];
  done({ median: at(taken, 0.5), p99: at(waited, 0.99) });
})().catch((error) => done({ fault: error.message }));
"""
_LISTEN_AT_ONCE = """
const look = () => {
  const button = document.querySelector(".talk button");
  if (button && !button.disabled && !window.pressed) { window.pressed = true; button.click(); }
  const bars = [...document.querySelectorAll(".words .fill")].map((each) => each.style.transform);
  if (bars.some((each) => /0\\.0*[1-9]|1/.test(each))) window.firstAnswer = performance.now();
  else setTimeout(look, 5);
};
look();
"""


def contest(*, full: bool) -> Contest:
    """Set the contest up: two exported pages, a browser with an empty cache for each turn."""
    del full  # a hop is a hop
    sys.path.append(str(Path(__file__).parents[1] / "tests"))
    from browser import chromium, served, wait_for, why_no_model

    if why := why_no_model():
        raise NotHereError(why)
    stack = ExitStack()
    root = Path(stack.enter_context(tempfile.TemporaryDirectory()))

    def page(name: str, parts: dict[str, Any]) -> Path:
        model = export_untrained(parts, root / name)
        done = export_web(model, root / f"{name}-page")
        (done.folder / "empty.html").write_text("<title>empty</title>")
        return done.folder

    small = page("small", TC_RESNET | {"stream": {"hop_seconds": 0.01}})
    large = page("large", PRETRAINED)

    def hear(folder: Path, seconds: float, *, live: bool) -> dict[str, float]:
        with tempfile.TemporaryDirectory() as profile, served(folder) as url, chromium(Path(profile)) as driver:
            driver.set_script_timeout(120)
            driver.get(f"{url}empty.html")
            told = driver.execute_async_script(_HEAR, RATE, seconds, live)
        if "fault" in told:
            raise RuntimeError(told["fault"])
        return told

    def busy_p99(folder: Path) -> float:
        with _busy_cores():
            return hear(folder, BUSY_SECONDS, live=True)["p99"]

    transferred: list[int] = []

    def first() -> float:
        with tempfile.TemporaryDirectory() as profile, _http_server(small) as url:
            log = Path(profile) / "net.json"
            with chromium(Path(profile), flags=[f"--log-net-log={log}"]) as driver:
                driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": _LISTEN_AT_ONCE})
                driver.get(url)
                milliseconds = wait_for(driver, "return window.firstAnswer")
                wait_for(driver, "return document.querySelector('#offline').textContent")
            transferred.append(_received_bytes(log))
        return milliseconds

    return Contest(
        title="A model in a page, in Chromium",
        sides={
            SMALL: lambda: hear(small, SECONDS, live=False)["median"],
            LARGE: lambda: hear(large, SECONDS, live=False)["median"],
            SMALL_BUSY: lambda: busy_p99(small),
            LARGE_BUSY: lambda: busy_p99(large),
            FIRST: first,
        },
        unit="ms",
        figures=(
            Figure("milliseconds of 10, small network", lambda taken: taken[SMALL], most=1),
            Figure("milliseconds of 80, pretrained", lambda taken: taken[LARGE], most=5),
            Figure("p99 on busy cores, small network", lambda taken: taken[SMALL_BUSY], most=40),
            Figure("p99 on busy cores, pretrained", lambda taken: taken[LARGE_BUSY], most=40),
            Figure("seconds from navigation to the first answer", lambda taken: taken[FIRST] / 1000, most=3),
            Figure("MB that Chromium received, small network", lambda _: max(transferred) / 1e6, most=5),
        ),
        close=(stack.close,),
    )


@contextmanager
def _busy_cores() -> Iterator[None]:
    """Keep every core busy."""
    spinning = [subprocess.Popen([sys.executable, "-c", _SPIN]) for _ in range(os.cpu_count() or 1)]
    try:
        yield
    finally:
        for each in spinning:
            each.kill()
            each.wait()


@contextmanager
def _http_server(folder: Path) -> Iterator[str]:
    command = [sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory", str(folder)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert server.stdout
    try:
        found = re.search(r"port (\d+)", server.stdout.readline())
        assert found
        yield f"http://localhost:{found[1]}/"
    finally:
        server.kill()
        server.wait()


def _received_bytes(log: Path) -> int:
    """What a browser received in all, headers too, by its own log (https://www.chromium.org/developers/design-documents/network-stack/netlog)."""
    kept = json.loads(log.read_text(encoding="utf-8"))
    received = kept["constants"]["logEventTypes"]["SOCKET_BYTES_RECEIVED"]
    return sum(event["params"]["byte_count"] for event in kept["events"] if event["type"] == received)
