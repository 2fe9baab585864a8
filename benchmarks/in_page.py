"""Models in a page: what a hop costs in Chromium, what is transferred, and when the first answer comes.

The small network answers each 10 ms, the pretrained start each 80 ms, on noise at 48 kHz: resampling is in it.
"""

import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks.contest import Contest, Figure, NotHereError
from benchmarks.live_step import PRETRAINED, TC_RESNET, export_untrained
from sayso.delivery.web import export_web

SMALL, LARGE, FIRST = "small network: a hop of 10 ms", "pretrained: a hop of 80 ms", "small network: first answer"
RATE, SECONDS = 48_000, 8
_HEAR = """
const [rate, seconds, done] = arguments;
(async () => {
  const { Sayso } = await import("./sayso.js");
  const recogniser = await Sayso.load("./");
  const answer = new Promise((resolve) => (recogniser.onhop = () => resolve(performance.now())));
  const noise = Float32Array.from({ length: rate }, () => 0.2 * Math.random() - 0.1);
  await recogniser.feed(noise, rate);
  await recogniser.feed(noise, rate);
  const first = (await answer) / 1000;
  const taken = [];
  recogniser.onhop = ({ milliseconds }) => taken.push(milliseconds);
  const step = rate / 50;
  for (let start = 0; start + step <= rate * seconds; start += step) {
    await recogniser.feed(noise.subarray(start % rate, (start % rate) + step).slice(), rate);
  }
  recogniser.close();
  taken.sort((one, other) => one - other);
  done({ first, median: taken[taken.length >> 1] });
})().catch((error) => done({ fault: error.message }));
"""


def contest(*, full: bool) -> Contest:
    """Set the contest up: two exported pages, a browser with an empty cache for each turn."""
    del full  # a hop is a hop
    sys.path.append(str(Path(__file__).parents[1] / "tests"))
    from browser import chromium, served, why_no_model

    if why := why_no_model():
        raise NotHereError(why)
    stack = ExitStack()
    root = Path(stack.enter_context(tempfile.TemporaryDirectory()))

    def page(name: str, parts: dict[str, Any]) -> tuple[Path, int]:
        model = export_untrained(parts, root / name)
        done = export_web(model, root / f"{name}-page")
        (done.folder / "empty.html").write_text("<title>empty</title>")
        return done.folder, done.transferred_bytes

    small, small_bytes = page("small", TC_RESNET | {"stream": {"hop_seconds": 0.01}})
    large, _ = page("large", PRETRAINED)

    def hear(folder: Path) -> dict[str, float]:
        with tempfile.TemporaryDirectory() as profile, served(folder) as url, chromium(Path(profile)) as driver:
            driver.set_script_timeout(120)
            driver.get(f"{url}empty.html")
            told = driver.execute_async_script(_HEAR, RATE, SECONDS)
        if "fault" in told:
            raise RuntimeError(told["fault"])
        return told

    newest: dict[str, float] = {}

    def small_hop() -> float:
        newest.update(hear(small))
        return newest["median"]

    return Contest(
        title="A model in a page, in Chromium",
        sides={
            SMALL: small_hop,
            LARGE: lambda: hear(large)["median"],
            FIRST: lambda: 1000 * newest["first"],
        },
        unit="ms",
        figures=(
            Figure("milliseconds of 10, small network", lambda taken: taken[SMALL], most=1),
            Figure("milliseconds of 80, pretrained", lambda taken: taken[LARGE], most=5),
            Figure("seconds to the first answer, small network", lambda taken: taken[FIRST] / 1000, most=3),
            Figure("MB transferred, small network", lambda _: small_bytes / 1e6, most=5),
        ),
        close=(stack.close,),
    )
