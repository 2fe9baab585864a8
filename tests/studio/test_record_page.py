"""What is being recorded, and what is typed, stays what it was whatever a person does on the page meanwhile."""

import time
from contextlib import contextmanager

import pytest

pytest.importorskip("starlette", reason="needs the extra serve")
pytest.importorskip("selenium", reason="pages are tried in a browser by selenium")

from browser import chromium, needs_browser, wait_for
from sayso.studio.recordings import Recordings
from studio_page_made import be, find, go, play, silent_microphone, studio, tone, type_words

pytestmark = needs_browser

# The browser asks whether the page may hear, until somebody answers.
ASKED = """
const grant = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
const answered = new Promise((resolve) => (window.answer = resolve));
window.tracks = [];
navigator.mediaDevices.getUserMedia = async (wanted) => {
  await answered;
  const stream = await grant(wanted);
  window.tracks.push(...stream.getTracks());
  return stream;
};
"""


@pytest.fixture
def sound(tmp_path):
    return silent_microphone(tmp_path)


@contextmanager
def anna_records(tmp_path, sound):
    """The page where Anna is about to say the first of two words."""
    with studio(tmp_path) as url, chromium(tmp_path, sound=sound) as page:
        page.get(url)
        wait_for(page, "return document.body.dataset.shown !== undefined")
        type_words(page, "high", "low")
        be(page, "Anna")
        yield page


def kept(tmp_path):
    return [(take.label, take.speaker) for take in Recordings(tmp_path / "clips").takes()]


def press(page, selector):
    page.execute_script("document.querySelector(arguments[0]).click()", selector)


def has(page, text):
    wait_for(page, f"return document.getElementById('prompt-state').textContent === '{text}'", seconds=30)


def test_another_word_and_another_name_are_of_the_next_clip(tmp_path, sound):
    with anna_records(tmp_path, sound) as page:
        play(sound, tone(500))
        find(page, "#take").click()
        wait_for(page, "return document.getElementById('count').textContent === '2'")
        press(page, "#progress li:last-child button")
        has(page, "Speak now.")
        assert find(page, "#prompt-word").text == "high"
        find(page, "#speaker").clear()
        find(page, "#speaker").send_keys("Be")
        wait_for(page, "return document.getElementById('stop').hidden", seconds=30)
        assert kept(tmp_path) == [("high", "Anna")]


def test_stopped_while_the_browser_asks_nothing_is_heard(tmp_path, sound):
    with anna_records(tmp_path, sound) as page:
        page.execute_script(ASKED)
        find(page, "#take").click()
        has(page, "The browser asks whether this page may hear you.")
        find(page, "#stop").click()
        has(page, "Stopped.")
        go(page, "train")
        page.execute_script("answer()")
        wait_for(page, "return tracks.length && tracks.every((track) => track.readyState === 'ended')")
        time.sleep(2)  # a countdown takes less
        assert kept(tmp_path) == []


def test_a_removed_clip_is_not_said_to_be_kept(tmp_path, sound):
    with anna_records(tmp_path, sound) as page:
        play(sound, 0 * tone(500))
        find(page, "#take").click()
        wait_for(page, "return !document.getElementById('keep').hidden", seconds=30)
        press(page, "#clips li button:last-child")
        wait_for(page, "return document.getElementById('keep').hidden && !document.querySelector('#clips button')")
        assert find(page, "#take").is_displayed()
        assert find(page, "#prompt-state").text == ""
        assert kept(tmp_path) == []


def test_words_that_are_not_saved_outlast_a_visit_elsewhere(tmp_path):
    with studio(tmp_path) as url, chromium(tmp_path) as page:
        page.get(url)
        wait_for(page, "return document.body.dataset.shown !== undefined")
        type_words(page, "high", "low")
        page.find_elements("name", "word")[2].send_keys("middle")
        go(page, "record")
        go(page, "words")
        assert [field.get_attribute("value") for field in page.find_elements("name", "word")] == [
            "high",
            "low",
            "middle",
        ]
        assert find(page, "#words-saved").text == "These words are not saved yet."
        page.find_elements("name", "word")[2].clear()
        page.find_elements("name", "spoken")[2].send_keys("in between")
        find(page, "#words-form [type=submit]").click()
        wait_for(page, "return !document.getElementById('trouble').hidden")
        assert find(page, "#trouble").text == "Type the word for which “in between” is spoken, too."
        page.find_elements("name", "spoken")[2].clear()
        go(page, "record")  # nothing is left to lose
