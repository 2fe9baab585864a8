"""The studio as a person meets it: in Chromium, with a microphone that plays real or made-up sound."""

import io
import shutil
import time

import numpy as np
import pytest
import soundfile
from PIL import Image

pytest.importorskip("starlette", reason="needs the extra serve")
pytest.importorskip("selenium", reason="pages are tried in a browser by selenium")

from selenium.webdriver import ActionChains, Keys
from selenium.webdriver.support.ui import WebDriverWait

from browser import chromium, needs_browser, show_at, wait_for, why_no_model
from sayso.data.marks import read_marks
from sayso.runs.folder import list_runs
from sayso.studio.recordings import Recordings
from studio_page_made import (
    be,
    drop_files,
    find,
    go,
    has_no_faults,
    play,
    record,
    silent_microphone,
    studio,
    take_here,
    tone,
    train,
    type_words,
)

pytestmark = needs_browser

SETTINGS = {"autoGainControl": False, "echoCancellation": False, "noiseSuppression": False}


@pytest.fixture
def sound(tmp_path):
    return silent_microphone(tmp_path)


def test_the_way_from_words_to_a_score(tmp_path, sound):
    """A smoke: two words, some clips by the microphone, some as files, a small training, its report."""
    pitches = {"high": 2_400, "low": 300}
    with studio(tmp_path) as url, chromium(tmp_path, sound=sound) as page:
        page.get(url)
        wait_for(page, "return document.body.dataset.shown !== undefined")
        assert "token" not in page.current_url
        has_no_faults(page)
        type_words(page, *pitches)
        be(page, "Ann")
        for _ in range(2):
            word, told = record(page, sound, lambda word: tone(pitches[word]))
            assert told == "Kept.", (word, told)
        takes = Recordings(tmp_path / "clips").takes()
        assert {(take.label, take.speaker) for take in takes} == {("high", "Ann"), ("low", "Ann")}
        for take in takes:
            assert {key: take.take["settings"][key] for key in SETTINGS} == SETTINGS
            samples, rate = soundfile.read(tmp_path / "clips" / take.path)
            spectrum = np.abs(np.fft.rfft(samples))
            assert np.fft.rfftfreq(len(samples), 1 / rate)[spectrum.argmax()] == pytest.approx(
                pitches[take.label], rel=0.02
            )
        has_no_faults(page)
        drop_files(page, tmp_path, pitches)
        has_no_faults(page)
        train(page)
        has_no_faults(page)
        leave_before_the_report_comes(page)
        go(page, "score")
        wait_for(page, "return document.getElementById('score-accuracy').textContent")
        has_no_faults(page)
        [run] = list_runs(tmp_path / "runs")
        assert find(page, "#score-accuracy").text == f"{100 * run_accuracy(run):.1f} %"
        page.switch_to.frame(find(page, "#report"))
        assert run.path.name in find(page, "h1").text
        assert float(find(page, "rect.part").get_attribute("width")) > 10
        mark_a_clip(page)
        page.switch_to.default_content()
        assert is_drawn(page, "#report")
        [kept] = read_marks(tmp_path / "clips" / "marks.csv")
        assert (kept.mark, (tmp_path / "clips" / kept.clip).is_file()) == ("exclude", True)
        page.refresh()
        go(page, "score")
        wait_for(page, "return document.getElementById('score-accuracy').textContent")
        page.switch_to.frame(find(page, "#report"))
        wait_for(page, "return document.getElementById('marks')?.innerText.startsWith('1 clip of this test marked')")
        page.switch_to.default_content()
        talk(page)
        has_no_faults(page)
        if not why_no_model():
            [take] = Recordings(tmp_path / "clips").corrections()
            assert (take.path.split("/")[:2], take.speaker) == (["_none_of_these_", "Cas"], "Cas")
            assert {key: take.take["settings"][key] for key in SETTINGS} == SETTINGS
            assert take.take["heard"]["run"] == run.path.name
            samples, rate = soundfile.read(tmp_path / "clips" / take.path)
            assert rate == take.take["settings"]["contextRate"]
            assert len(samples) > rate
        severe = [entry["message"] for entry in page.get_log("browser") if entry["level"] == "SEVERE"]
        assert [each for each in severe if "ERR_BLOCKED_BY_CLIENT" not in each] == []


def leave_before_the_report_comes(page):
    """Go to the score, and on while its report is being loaded: unseen, a page measures its pictures as nothing."""
    page.execute_script(
        "new MutationObserver((_, observer) => { observer.disconnect(); location.hash = '#words'; })"
        ".observe(document.getElementById('report'), { attributes: true });"
        "delete document.body.dataset.shown; location.hash = '#score';"
    )
    wait_for(page, "return location.hash === '#words' && document.body.dataset.shown === 'words'")
    time.sleep(0.5)


def is_drawn(page, selector):
    """Whether there is soon more than one colour where an element is, once it has been scrolled to.

    Chromium draws no frame of another origin while it is off the screen, and begins some pictures after it is on it.
    """

    def has_colours(page):
        with Image.open(io.BytesIO(find(page, selector).screenshot_as_png)) as picture:
            return len(picture.convert("RGB").getcolors(maxcolors=1 << 20)) > 10

    return WebDriverWait(page, 5).until(has_colours)


def mark_a_clip(page):
    """Have a clip left out, in the report, by the keyboard; marks are written at once."""
    page.execute_script("document.querySelector('rect.part').focus()")
    ActionChains(page).send_keys(Keys.ENTER).perform()
    assert find(page, "#cell h3").text.startswith("Said ")
    page.execute_script("document.querySelector('#cell select').focus()")
    ActionChains(page).send_keys("l").perform()  # leave out
    wait_for(page, "return document.getElementById('marks').innerText.startsWith('1 clip of this test marked')")


def talk(page):
    """Have the model answer in the page, where what runs it there has been fetched."""
    go(page, "talk")
    if why_no_model():
        return
    wait_for(page, "return document.getElementById('talk-body').textContent.includes('Ready')")
    find(page, "#talk-body button").click()
    bars = "[...document.querySelectorAll('#talk-body .words .fill')].map((each) => each.style.transform)"
    wait_for(page, f"return {bars}.some((each) => /0\\.[1-9]|1/.test(each))")
    assert not find(page, "#talk-body .fault").is_displayed()
    say_that_it_was_wrong(page)


def say_that_it_was_wrong(page):
    """Keep the last seconds as none of the words, by the keyboard, once a name is there."""
    time.sleep(2)
    press(page, Keys.ENTER, onto="#talk-body .bar button.quiet")
    wait_for(page, "return document.querySelector('form.wrong')")
    has_no_faults(page)
    said, speaker = page.find_elements("css selector", "form.wrong select")[1], find(page, "form.wrong input")
    said.send_keys("none of")
    speaker.clear()
    press(page, Keys.ENTER, onto="form.wrong input")
    assert find(page, "form.wrong").is_displayed()
    speaker.send_keys("Cas")
    # What cannot be saved stays, also while another step is shown.
    page.execute_cdp_cmd("Network.enable", {})
    page.execute_cdp_cmd("Network.setBlockedURLs", {"urls": ["*/api/corrections"]})
    press(page, Keys.ENTER, onto="form.wrong input")
    wait_for(page, "return document.querySelector('form.wrong').textContent.includes('Not saved: The studio does not')")
    page.execute_cdp_cmd("Network.setBlockedURLs", {"urls": []})
    go(page, "words")
    go(page, "talk")
    assert find(page, "form.wrong input").get_attribute("value") == "Cas"
    for width in (390, 1280):
        show_at(page, width, 844, dark=width == 390)
        assert page.execute_script("return document.documentElement.scrollWidth") <= width
        has_no_faults(page)
    press(page, Keys.ENTER, onto="form.wrong input")
    wait_for(page, "return document.querySelectorAll('#corrections li').length === 1")
    assert not page.find_elements("css selector", "form.wrong")
    assert find(page, "#corrections").text.startswith("none of these words, Cas")


def run_accuracy(run):
    return run.metrics()["test"]["accuracy"]


def test_a_reload_and_a_crash_of_the_studio_lose_nothing(tmp_path, sound):
    with chromium(tmp_path, sound=sound) as page:
        with studio(tmp_path) as url:
            page.get(url)
            wait_for(page, "return document.body.dataset.shown !== undefined")
            type_words(page, "high", "low")
            be(page, "Ann")
            record(page, sound, lambda word: tone(500))
            page.refresh()
            wait_for(page, "return document.querySelectorAll('#clips button').length")
            assert find(page, "#speaker").get_attribute("value") == "Ann"
            page.execute_script("document.getElementById('on').checked = false")
            play(sound, tone(700))
            take_here(page, 1)
        # The studio has gone: what is recorded now stays in the page, and says so.
        find(page, "#take").click()
        wait_for(page, "return document.querySelectorAll('#unsaved-clips li').length", seconds=30)
        assert "Is it still running in the terminal?" in find(page, "#trouble").text
        assert find(page, "#prompt-state").text == "This clip is not saved yet."
        for _ in range(2):  # in vain
            find(page, "#unsaved-clips button").click()
            wait_for(page, "return !document.getElementById('trouble').hidden")
        assert len(page.find_elements("css selector", "#unsaved-clips li")) == 1
    assert len(Recordings(tmp_path / "clips").takes()) == 2


@pytest.mark.slow
def test_a_faulty_clip_is_kept_or_taken_again_by_the_keyboard_alone(tmp_path, sound):
    with studio(tmp_path) as url, chromium(tmp_path, sound=sound) as page:
        page.get(url)
        wait_for(page, "return document.body.dataset.shown !== undefined")
        press(page, "high", Keys.ENTER, "low", Keys.ENTER, onto="[name=word]")
        press(page, Keys.ENTER, onto="#words-form [type=submit]")
        wait_for(page, "return document.getElementById('words-saved').textContent")
        press(page, Keys.ENTER, onto=".steps a[href='#record']")
        wait_for(page, "return document.body.dataset.shown === 'record'")
        play(sound, 0.001 * tone(300))
        press(page, "Ann", Keys.TAB, onto="#speaker")
        page.execute_script("document.activeElement.blur()")
        press(page, Keys.SPACE)
        wait_for(page, "return document.getElementById('keep').offsetParent", seconds=30)
        assert find(page, "#prompt-state").text == "Nothing is to be heard in it."
        assert page.execute_script("return document.activeElement.id") == "keep"
        [faulty] = Recordings(tmp_path / "clips").takes()
        page.execute_script("document.activeElement.blur()")
        press(page, "r")
        wait_for(page, "return !document.getElementById('keep').offsetParent")
        wait_for(page, "return document.getElementById('keep').offsetParent", seconds=30)
        [again] = Recordings(tmp_path / "clips").takes()
        assert (again.label, again.path != faulty.path) == (faulty.label, True)
        page.execute_script("document.getElementById('on').checked = false; document.activeElement.blur()")
        press(page, "k")
        wait_for(page, "return document.getElementById('take').offsetParent")
        assert find(page, "#prompt-word").text == "low"


def press(page, *keys, onto=None):
    """Press keys, where the focus is or on an element that can have it."""
    if onto:
        page.execute_script("document.querySelector(arguments[0]).focus()", onto)
        assert page.execute_script("return document.activeElement.matches(arguments[0])", onto)
    ActionChains(page).send_keys(*keys).perform()


def test_no_step_is_wider_than_the_screen_or_hard_to_use(tmp_path):
    with studio(tmp_path) as url, chromium(tmp_path) as page:
        page.get(url)
        wait_for(page, "return document.body.dataset.shown !== undefined")
        type_words(page, "a" * 100, "turn the lights in the kitchen off, please")
        for step in ("words", "record", "train", "score", "talk"):
            go(page, step)
            page.execute_script("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
            for width, dark in ((1280, False), (1280, True), (390, False), (390, True)):
                show_at(page, width, 844, dark=dark)
                assert page.execute_script("return document.documentElement.scrollWidth") <= width, (step, width)
                has_no_faults(page)


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ({"refuses_microphone": True}, "The microphone is not allowed here: allow it for this page"),
        ({"has_microphone": False}, "There is no microphone: connect one"),
    ],
)
def test_without_a_microphone_the_page_says_what_to_do(tmp_path, kind, told):
    with studio(tmp_path) as url, chromium(tmp_path, **kind) as page:
        page.get(url)
        wait_for(page, "return document.body.dataset.shown !== undefined")
        type_words(page, "high", "low")
        be(page, "Ann")
        find(page, "#take").click()
        wait_for(page, "return !document.getElementById('trouble').hidden")
        assert told in find(page, "#trouble").text
        assert find(page, "#take").is_displayed()


@pytest.mark.slow
def test_the_audit_and_the_comparison_stand_beside_the_report(tmp_path):
    """Both are made in the background, looked over, and marked; a training removed meanwhile is a sentence."""
    with studio(tmp_path) as url, chromium(tmp_path) as page:
        page.get(url)
        wait_for(page, "return document.body.dataset.shown !== undefined")
        type_words(page, "high", "low")
        drop_files(page, tmp_path, {"high": 2_400, "low": 300})
        go(page, "score")
        assert not find(page, "[data-shows=report]").is_displayed()
        make_page(page, "audit")
        page.switch_to.frame(find(page, "#report"))
        wait_for(page, "return document.querySelectorAll('select[data-clip]').length || document.querySelector('#map')")
        point = find(page, "#map-drawn canvas, #map-drawn circle, #map-drawn [tabindex]")
        page.execute_script("arguments[0].focus()", point)
        ActionChains(page).send_keys(Keys.ENTER).perform()
        page.execute_script("document.querySelector('#cell select').focus()")
        ActionChains(page).send_keys("l").perform()  # leave out
        wait_for(page, "return document.getElementById('marks').innerText.startsWith('1 clip of this audit marked')")
        page.switch_to.default_content()
        [kept] = read_marks(tmp_path / "clips" / "marks.csv")
        assert kept.mark == "exclude"
        looks_well(page)
        find(page, "[data-shows=comparison]").click()
        wait_for(page, "return !document.getElementById('made-why-not').hidden")
        assert "takes two finished trainings" in find(page, "#made-why-not").text
        train(page)
        find(page, "#train-start").click()
        wait_for(page, "return document.querySelectorAll('#runs li').length === 2", seconds=60)
        wait_for(page, "return document.getElementById('train-state').textContent.startsWith('Finished')", seconds=120)
        go(page, "score")
        make_page(page, "comparison")
        looks_well(page)
        page.switch_to.frame(find(page, "#report"))
        assert len(page.find_elements("css selector", "#ranking ~ div tbody tr")) == 2
        page.switch_to.default_content()
        for run in list_runs(tmp_path / "runs"):
            shutil.rmtree(run.path)
        find(page, "[data-shows=report]").click()
        go(page, "words")
        go(page, "score")
        assert find(page, "#score-none").is_displayed()
        find(page, "[data-shows=comparison]").click()
        wait_for(page, "return !document.getElementById('made-why-not').hidden")
        assert is_drawn(page, "#report")  # the comparison itself is still there


def make_page(page, kind):
    find(page, f"[data-shows={kind}]").click()
    wait_for(page, "return document.getElementById('made-start').offsetParent")
    find(page, "#made-start").click()
    wait_for(page, "return /Finished|error/.test(document.getElementById('made-state').textContent)", seconds=60)
    assert find(page, "#made-state").text == "Finished."
    wait_for(page, "return document.getElementById('report').offsetParent")


def looks_well(page):
    for width, dark in ((1280, False), (1280, True), (390, False), (390, True)):
        show_at(page, width, 844, dark=dark)
        assert page.execute_script("return document.documentElement.scrollWidth") <= width
        assert is_drawn(page, "#report")
        has_no_faults(page)
