"""Cells of a report's confusion matrix, pressed in Chromium: their clips are listed, marked, and downloaded."""

import json

import numpy as np
import pytest

pytest.importorskip("selenium", reason="pages are tried in a browser by selenium")

from selenium.webdriver import ActionChains, Keys

from axe import find_faults, why_no_axe
from browser import chromium, downloaded, keep_downloads, needs_browser
from sayso.data.marks import Mark, read_marks, write_marks
from sayso.views.figures.clip_map import map_clips
from sayso.views.html.clip_map import MappedClips
from sayso.views.html.marks import AnsweredClip, describe_tested
from sayso.views.plots.confusion import draw_confusion_matrix
from sayso.views.plots.flow import draw_alluvial
from sayso.views.plots.style import svg_text
from sayso.views.run_report import Mistake, RunReport, write_report

LABELS = ("no", "yes", "</script>")
COUNTS = np.array([[2, 1, 0], [0, 1, 0], [1, 0, 1]])
ODD = '/clips/a "b", c/ü.wav'


def clip(name, label, predicted, share=0.5, **more):
    return AnsweredClip(name, f"/clips/{name}", label, predicted, share, **more)


TESTED = [
    clip("no/1.wav", "no", "no", 0.9, speaker="ann"),
    clip("no/2.wav", "no", "no", 0.6),
    AnsweredClip("c/ü.wav", ODD, "no", "yes", 0.8, speaker="ann"),
    clip("long.wav from 1.25 s", "yes", "yes", start_seconds=1.25),
    clip("odd/1.wav", "</script>", "no", 0.7),
    clip("odd/2.wav", "</script>", "</script>"),
]


def test_wrong_clips_come_first_and_the_least_sure_of_the_right_ones() -> None:
    facts, places = describe_tested(TESTED, LABELS, COUNTS.tolist())
    assert facts["folder"] == "/clips/"
    assert [row[0] for row in facts["rows"]][:2] == ['a "b", c/ü.wav', "odd/1.wav"]
    assert [row[5] for row in facts["rows"]] == [0.8, 0.7, 0.5, 0.5, 0.6, 0.9]
    assert facts["rows"][places["long.wav from 1.25 s"]][1] == 1.25
    assert sorted(map(tuple, facts["flows"])) == [(0, 0), (0, 1), (1, 1), (2, 0), (2, 2)]


def test_a_large_test_is_listed_in_part() -> None:
    many = [clip(f"no/{number}.wav", "no", "no") for number in range(11_000)]
    facts, _ = describe_tested(many, LABELS, COUNTS.tolist())
    assert len(facts["rows"]) == 3_000
    assert len(json.dumps(facts)) < 200_000


def test_marks_are_read_as_they_were_written(tmp_path) -> None:
    marks = (Mark(ODD, None, "exclude"), Mark("a\udcff.wav", 1.25, "relabel", "no"))
    write_marks(tmp_path / "marks.csv", marks)
    assert read_marks(tmp_path / "marks.csv") == marks
    assert read_marks(tmp_path / "none.csv") == ()


@pytest.fixture
def report(tmp_path):
    test = {"accuracy": 0.66, "accuracy_ci95": [0.3, 0.9], "n": 6, "errors": 2, "loss": 1.0, "ece": 0.1}
    test["confusion"] = {"labels": list(LABELS), "counts": COUNTS.tolist()}
    samples = np.zeros(800, np.int16)
    figures = {
        "confusion_matrix": svg_text(draw_confusion_matrix(COUNTS, LABELS)),
        "alluvial": svg_text(draw_alluvial(COUNTS, LABELS)),
    }
    page = RunReport(
        title="run",
        metrics={"test": test, "parameters": 1},
        manifest={},
        recipe_yaml="",
        mistakes=[Mistake("c/ü.wav", "no", "yes", 0.8, "ann", samples, 8_000)],
        tested=TESTED,
        figures=figures,
    )
    write_report(tmp_path / "report.html", page)
    return tmp_path / "report.html"


def press(page, part):
    page.execute_script("arguments[0].closest('figure').scrollIntoView()", part)
    ActionChains(page).move_to_element(part).click().perform()


def choose(page, place, text):
    options = page.find_elements("css selector", "#cell select")[place].find_elements("tag name", "option")
    next(option for option in options if option.text == text).click()


def title(page):
    return page.find_element("css selector", "#cell h3").text


@needs_browser
def test_clips_of_a_cell_are_listed_marked_and_downloaded(report, tmp_path):
    with chromium(tmp_path) as page:
        keep_downloads(page, tmp_path)
        page.get(report.as_uri())
        cells = page.find_elements("css selector", "rect.part")
        assert len(cells) == np.count_nonzero(COUNTS)
        wrong = next(one for one in cells if one.get_attribute("aria-label") == "Said no, heard as yes: 1 clip")
        press(page, wrong)
        assert title(page) == "Said no, heard as yes"
        assert len(page.find_elements("css selector", "#cell audio")) == 1
        choose(page, 0, "leave out")
        # The mark stands at the clip's card too.
        assert page.find_element("css selector", ".mistakes select").get_attribute("value") == "exclude"
        page.execute_script("arguments[0].focus()", cells[0])
        ActionChains(page).send_keys(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ENTER).perform()
        assert title(page) == "Said yes, heard as yes"
        choose(page, 0, "it says </script>")
        band = page.find_element("css selector", "#alluvial-wrong path[aria-label^='Said </script>']")
        press(page, band)
        assert title(page) == "Said </script>, heard as no"
        if not why_no_axe():
            assert find_faults(page) == []
        page.find_element("css selector", "#marks button").click()
        path = downloaded(tmp_path, "marks.csv")
        assert read_marks(path) == (
            Mark(ODD, None, "exclude"),
            Mark("/clips/long.wav from 1.25 s", 1.25, "relabel", "</script>"),
        )
        assert not [line for line in page.get_log("browser") if line["level"] == "SEVERE"]


def mapped(clips=24):
    """A page of two words whose clips lie in two heaps, one of them in the other word's."""
    rng = np.random.default_rng(0)
    words = ["no", "yes"] * (clips // 2)
    vectors = np.eye(2, 8)[np.arange(clips) % 2] * 9 + rng.normal(size=(clips, 8))
    words[0] = "yes"
    tested = [clip(f"{number}.wav", word, word, speaker="ann") for number, word in enumerate(words)]
    drawn = map_clips(vectors.astype(np.float32), words)
    assert drawn is not None
    tone = (8_000 * np.sin(np.arange(4_000))).astype(np.int16)
    return tested, MappedClips(drawn, [each.name for each in tested], lambda place: (tone, 8_000))


def points(page):
    return page.find_elements("css selector", "#map svg path[role=button]")


def signs(page):
    return [one.text for one in page.find_elements("css selector", "#map ul button")]


@needs_browser
def test_the_map_is_heard_coloured_and_marked_by_pointer_and_keys(tmp_path):
    tested, on_map = mapped()
    counts = np.array([[11, 0], [0, 13]])
    test = {"accuracy": 1.0, "accuracy_ci95": [0.9, 1.0], "n": 24, "errors": 0, "loss": 1.0, "ece": 0.1}
    test["confusion"] = {"labels": ["no", "yes"], "counts": counts.tolist()}
    told = RunReport(title="run", metrics={"test": test}, manifest={}, recipe_yaml="", tested=tested, mapped=on_map)
    write_report(tmp_path / "report.html", told)
    with chromium(tmp_path) as page:
        page.get((tmp_path / "report.html").as_uri())
        assert len(points(page)) == 24
        [doubted] = page.find_elements("css selector", "#doubted li")
        assert "0.wav said yes, heard as yes; " in doubted.text
        assert "neighbours say no" in doubted.text
        assert len(page.find_elements("css selector", "#doubted audio")) == 1
        ways = [option.text for option in page.find_elements("css selector", "#map select[name=by] option")]
        assert ways == ["word", "speaker", "right and wrong"]
        assert signs(page) == ["no", "yes"]
        page.find_elements("css selector", "#map ul button")[0].click()
        assert len(page.find_elements("css selector", "#map path.faint")) == 13
        page.find_element("css selector", "#map option[value=speaker]").click()
        assert signs(page) == ["ann"]
        # By keys: the map is one stop, the arrows go on, Enter lists the clip.
        page.execute_script(
            "window.played = []; HTMLMediaElement.prototype.play = async function () { played.push(this.src) }"
        )
        page.execute_script("document.querySelector('#map svg path[tabindex=\"0\"]').focus()")
        first = page.find_element("css selector", "#map output").text
        assert first.startswith("ann · 0.wav: said yes")
        on = {first}
        for key in (Keys.ARROW_LEFT, Keys.ARROW_UP, Keys.ARROW_RIGHT, Keys.ARROW_DOWN):
            ActionChains(page).send_keys(key).perform()
            on.add(page.find_element("css selector", "#map output").text)
        assert len(on) > 2
        played = page.execute_script("return played")
        assert len(played) >= 2
        assert all(sound.startswith("data:audio/flac;base64,") for sound in played)
        ActionChains(page).send_keys(Keys.ENTER).perform()
        assert title(page) in ("no", "yes")
        assert len(page.find_elements("css selector", "#cell li")) == 1
        # By the pointer.
        point = points(page)[5]
        page.execute_script("arguments[0].scrollIntoView({ block: 'center' })", point)
        ActionChains(page).move_to_element(point).perform()
        assert page.find_element("css selector", "#map output").text == point.get_attribute("aria-label")
        ActionChains(page).click().perform()
        choose(page, 0, "leave out")
        assert page.find_element("css selector", "#marks output").text == "1 clip marked: 1 left out"
        if not why_no_axe():
            assert find_faults(page) == []
        assert not [line for line in page.get_log("browser") if line["level"] == "SEVERE"]
