"""The map of an audit: wrong labels that were planted among real words are listed, and marked on the page."""

import json
import re

import numpy as np
import pytest

from audit_made import spoken, write_set
from axe import find_faults, why_no_axe
from browser import chromium, downloaded, keep_downloads, needs_browser
from conftest import one_line
from sayso.data.datasets.fsdd import FsddConfig
from sayso.data.datasets.speech_commands import SpeechCommandsConfig
from sayso.data.marks import Mark, read_marks
from sayso.metrics.neighbours import find_outliers, standardise
from sayso.recipe.prepared import pack_clips
from sayso.recipe.recipe import recipe_from_values
from sayso.runtime.keeping import Keeper, KeptClip
from sayso.studies.audit.audit import audit
from sayso.studies.audit.mapping import embed_words
from sayso.system.progress import Progress

CLIPS, PLANTED = 1_000, 50
EIGHT = ("yes", "no", "up", "down", "left", "right", "stop", "go")


def page_facts(page):
    found = re.search(r'id="clips">(.*?)</script>', page.read_text(encoding="utf-8"))
    assert found
    return json.loads(found[1])


def shares_found(dataset, sample_rate):
    """Of 1,000 clips, a twentieth under a wrong word: the share of those named that were planted, and that found."""
    values = {"dataset": dataset, "audio": {"sample_rate": sample_rate}}
    corpus = pack_clips(recipe_from_values(values, source="test"), Progress()).corpus
    rng = np.random.default_rng(0)
    rows = rng.permutation(len(corpus))[:CLIPS]
    targets = corpus.targets[rows].copy()
    words = len(corpus.labels)
    targets[:PLANTED] = (targets[:PLANTED] + rng.integers(1, words, PLANTED)) % words
    vectors = standardise(embed_words(corpus, rows, Progress(), threads=1))
    places = [outlier.place for outlier in find_outliers(vectors, targets)[0]]
    planted = [place < PLANTED for place in places]
    return np.mean(planted), sum(planted) / PLANTED, np.mean(planted[:10])


# Of ten draws the worst had 90 % and 81 % of digits, 83 and 53 % of words; of the first ten, nine.
@pytest.mark.skipif(FsddConfig().location() is None, reason="needs SAYSO_DATA with fsdd")
def test_wrong_labels_of_digits_are_listed():
    precision, recall, first = shares_found({"kind": "fsdd"}, 8_000)
    assert precision > 0.75
    assert recall > 0.65
    assert first > 0.6


@pytest.mark.skipif(SpeechCommandsConfig().location() is None, reason="needs SAYSO_DATA with speech_commands_v0.01")
def test_wrong_labels_of_words_are_listed():
    precision, recall, first = shares_found({"kind": "speech_commands", "words": list(EIGHT)}, 16_000)
    assert precision > 0.65
    assert recall > 0.35
    assert first > 0.6


@pytest.fixture
def words(tmp_path):
    return write_set(tmp_path / "words", {"silent": lambda wave: 0 * wave}, clips=8)


def test_a_map_is_drawn_unless_one_fault_alone_is_looked_for(program, words, tmp_path):
    code, _, err = program("audit", words, "--out", tmp_path / "out")
    assert code == 0, err
    facts = page_facts(tmp_path / "out" / "audit.html")
    rows = [facts["rows"][place][0] for place, *_ in facts["map"]["points"]]
    assert len(rows) == 15  # all but the silent one, of which nothing is to be heard
    assert not [name for name in rows if "silent" in name]
    heard = {*map(int, facts["sounds"])}
    page = (tmp_path / "out" / "audit.html").read_text(encoding="utf-8")
    cards = {int(place) for place in re.findall(r'<li data-clip="(\d+)"', page)}
    assert {place for place, *_ in facts["map"]["points"]} <= heard | cards
    for options in (("--only", "silence"), ("--no-map",)):
        out = tmp_path / options[0]
        assert program("audit", words, "--out", out, *options)[0] == 0
        assert "map" not in page_facts(out / "audit.html")
        assert "None was drawn" in (out / "audit.html").read_text(encoding="utf-8")


def test_the_same_clips_give_the_same_page(words, tmp_path):
    pages = [audit(words, out=tmp_path / name).page.read_bytes() for name in ("one", "two")]
    assert pages[0] == pages[1].replace(b"/two/", b"/one/")


@pytest.fixture
def kept(tmp_path):
    """What was kept while listening: four clips of two words."""
    keeper = Keeper(tmp_path / "heard", print)
    rng = np.random.default_rng(0)
    for word, outcome, score in (
        ("up", "near", 0.6),
        ("up", "fired", 0.9),
        ("down", "near", 0.65),
        ("down", "fired", 0.7),
    ):
        samples = (20_000 * spoken(rng, pitch_hz=150)).astype(np.int16)
        keeper.keep(KeptClip(word, outcome, score, 0.7, samples, 8_000.0, 1.0))
    return tmp_path / "heard"


def test_what_was_kept_while_listening_stands_first_by_score(kept, tmp_path):
    for source in (kept, kept / "kept.csv"):
        found = audit(source, out=tmp_path / f"of-{source.name}")
        page = found.page.read_text(encoding="utf-8")
        scores = re.findall(r'data-outcome="(\w+)" data-score="([\d.]+)"', page)
        assert scores == [("fired", "0.9"), ("fired", "0.7"), ("near", "0.65"), ("near", "0.6")]
        assert "None was drawn" in page


def test_a_damaged_table_of_what_was_kept_is_one_line(program, kept, tmp_path):
    with (kept / "kept.csv").open("a") as file:
        file.write("up/x.wav,up,high,0.7,near,1,now\n")
    code, _, err = program("audit", kept, "--out", tmp_path / "out")
    assert code == 2
    assert "is damaged" in one_line(err)


def scores(page):
    shown = page.find_elements("css selector", ".sorted li:not([hidden])")
    return [item.get_attribute("data-score") for item in shown]


@needs_browser
def test_kept_clips_are_sorted_and_marked_for_the_next_training(kept, tmp_path):
    page_file = audit(kept, out=tmp_path / "out").page
    with chromium(tmp_path) as page:
        keep_downloads(page, tmp_path)
        page.get(page_file.as_uri())
        assert scores(page) == ["0.9", "0.7", "0.65", "0.6"]
        page.find_element("css selector", "option[value=near]").click()
        page.find_element("css selector", "option[value=score]").click()
        assert scores(page) == ["0.6", "0.65"]
        first = page.find_element("css selector", ".sorted li:not([hidden]) select")
        first.find_element("xpath", "option[text()='it says down']").click()
        page.find_element("css selector", "#marks button").click()
        path = downloaded(tmp_path, "marks.csv")
        [mark] = read_marks(path)
        assert mark == Mark(mark.clip, None, "relabel", "down", "")
        assert "/up/" in mark.clip
        assert "near-0.60" in mark.clip
        if not why_no_axe():
            assert find_faults(page) == []
        assert not [line for line in page.get_log("browser") if line["level"] == "SEVERE"]
    told = audit(kept, overrides=[f"dataset.relabel={path}"], out=tmp_path / "again")
    assert sorted(clip.label for clip in told.clips) == ["down", "down", "down", "up"]
