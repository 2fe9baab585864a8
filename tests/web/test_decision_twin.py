"""`decisions.js` decides as `decisions.py` does, on whatever answers there are."""

import json
import shutil
import subprocess
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from browser import chromium, served, why_no_browser
from sayso.config.schema import dump
from sayso.runtime.decisions import Decider
from sayso.runtime.stream_settings import StreamSettings
from sayso.web import asset_files

WORDS = ("up", "down", "left")
DECIDE = """
function decideAll({ words, settings, rate, rows }) {
  const decider = new Decider(words, settings, rate);
  return rows.map(([hop, shares]) => {
    const { scores, fired } = decider.decide(Float64Array.from(shares), hop);
    return [[...scores], fired && [fired.place, fired.score, fired.hop]];
  });
}
"""
LINES = """
import { createInterface } from "node:readline";
for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(decideAll(JSON.parse(line))));
}
"""
Twin = Callable[[dict[str, Any]], Any]


@contextmanager
def in_node(folder, node: str) -> Generator[Twin]:
    # Node takes `.js` for a module where a package says so.
    (folder / "package.json").write_text('{"type": "module"}')
    (folder / "twin.js").write_text(f'import {{ Decider }} from "./decisions.js";{DECIDE}{LINES}')
    with subprocess.Popen(
        [node, folder / "twin.js"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin
        assert process.stdout

        def ask(values: dict[str, Any]) -> Any:
            print(json.dumps(values), file=process.stdin, flush=True)
            return json.loads(process.stdout.readline())

        yield ask
        process.stdin.close()


@contextmanager
def in_chromium(folder) -> Generator[Twin]:
    (folder / "index.html").write_text("<title>twin</title>")
    load = (
        'const done = arguments[0]; import("./decisions.js").then((module) => {'
        "window.Decider = module.Decider; done(); });"
    )
    with served(folder) as url, chromium(folder / "profile") as driver:
        driver.get(url)
        driver.execute_async_script(load)
        yield lambda values: driver.execute_script(f"{DECIDE} return decideAll(arguments[0]);", values)


@pytest.fixture(scope="module")
def twin(tmp_path_factory):
    folder = tmp_path_factory.mktemp("twin")
    shutil.copy(asset_files()["decisions.js"], folder)
    node = shutil.which("node")
    if not node and why_no_browser():
        pytest.skip(f"no JavaScript here: node is not installed, {why_no_browser()}")
    with in_node(folder, node) if node else in_chromium(folder) as ask:
        yield ask


# Sums of these are exact, in whatever order, so that a score may meet its threshold to the last bit.
shares = st.integers(0, 16).map(lambda number: number / 16)
answers = st.lists(
    st.tuples(st.sampled_from((1, 1, 1, 1, 1, 4)), st.lists(shares, min_size=3, max_size=3)), min_size=1, max_size=60
)
settings = st.fixed_dictionaries(
    {
        "hop_seconds": st.sampled_from((0.01, 0.0125, 0.08, 0.1, 0.25)),
        "smoothing": st.sampled_from((1, 2, 4, 8)),
        "threshold": shares,
        "margin": st.sampled_from((0.0, 1 / 16, 0.25)),
        "least_seconds": st.sampled_from((0.0, 0.04, 0.2, 0.125)),
        "refractory_seconds": st.sampled_from((0.0, 0.125, 0.3, 1.0)),
        "thresholds": st.lists(st.fixed_dictionaries({"word": st.just("down"), "threshold": shares}), max_size=1),
    }
)


def decided(words, asked, rate, rows):
    decider = Decider(words, asked, rate)
    for hop, shares in rows:
        scores, fired = decider.decide(np.array(shares), hop)
        yield [scores.tolist(), [fired.place, fired.score, fired.hop] if fired else None]


@given(answers=answers, values=settings, rate=st.sampled_from((8000, 16000, 11025)))
def test_scores_and_detections_are_the_same(twin, answers, values, rate):
    asked = StreamSettings().overridden(values)
    hops = np.cumsum([step for step, _ in answers]) - 1
    rows = [(int(hop), row) for hop, (_, row) in zip(hops, answers, strict=True)]
    given_ = {"words": WORDS, "settings": dump(asked), "rate": rate, "rows": rows}
    assert twin(given_) == list(decided(WORDS, asked, rate, rows))


def test_one_word_alone_has_no_runner_up(twin):
    asked = replace(StreamSettings(), smoothing=1, margin=0.5, refractory_seconds=0.0)
    rows = [(hop, [share]) for hop, share in enumerate((0.4, 0.7, 0.9, 0.1, 0.8))]
    found = twin({"words": ["up"], "settings": dump(asked), "rate": 16000, "rows": rows})
    assert [fired and fired[2] for _, fired in found] == [None, 1, None, None, 4]
    assert found == list(decided(("up",), asked, 16000, rows))
