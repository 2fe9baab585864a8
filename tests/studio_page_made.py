"""The studio's page, driven as a person drives it, with a microphone that plays what it is given."""

import subprocess
import sys
from contextlib import contextmanager

import numpy as np
import soundfile

from axe import find_faults, why_no_axe
from browser import wait_for, write_fake_sound

RATE = 48_000
# From when the page opens the microphone: it counts to three before it records.
_LEAD_SECONDS, _REST_SECONDS = 1.7, 6.0


@contextmanager
def studio(folder, *options):
    """A `sayso studio` in a process of its own; gives the address it shows."""
    command = [sys.executable, "-m", "sayso", "studio", "clips", "--port", "0", "--no-browser", *options]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield process.stdout.readline().strip()
    finally:
        process.send_signal(2)
        _, told = process.communicate(timeout=60)
        assert "Traceback" not in told, told
        assert process.returncode == 0


def silent_microphone(folder):
    """The file that the microphone plays; it says nothing yet."""
    path = folder / "microphone.wav"
    write_fake_sound(path, np.zeros(RATE), RATE)
    return path


def tone(hertz, seconds=0.6):
    time = np.arange(round(seconds * RATE)) / RATE
    return 0.4 * np.sin(2 * np.pi * hertz * time) * np.hanning(len(time))


def play(sound, samples, rate=RATE):
    """Have the microphone, when it is opened next, say this once the page has counted in."""
    silence = [np.zeros(round(seconds * rate)) for seconds in (_LEAD_SECONDS, _REST_SECONDS)]
    write_fake_sound(sound, np.concatenate([silence[0], samples, silence[1]]), rate)


def find(page, selector):
    return page.find_element("css selector", selector)


def go(page, step):
    """Show a step, as its link does."""
    if page.current_url.endswith(f"#{step}"):
        return
    page.execute_script("delete document.body.dataset.shown")
    find(page, f".steps a[href='#{step}']").click()
    wait_for(page, f"return document.body.dataset.shown === '{step}'")


def type_words(page, *words):
    go(page, "words")
    while len(page.find_elements("name", "word")) < len(words):
        find(page, "#add-word").click()
    for field, word in zip(page.find_elements("name", "word"), words, strict=False):
        field.clear()
        field.send_keys(word)
    find(page, "#words-form [type=submit]").click()
    wait_for(page, "return document.getElementById('words-saved').textContent.startsWith('Saved')")


def be(page, speaker):
    go(page, "record")
    page.execute_script("document.getElementById('on').checked = false; document.getElementById('speaker').value = ''")
    find(page, "#speaker").send_keys(speaker, "\ue007")
    find(page, "#prompt-word").click()
    wait_for(page, "return document.activeElement.id !== 'speaker'")


def record(page, sound, samples_of, rate=RATE):
    """Record the word that is asked for; gives it, and what the page says of the clip."""
    # The fake microphone reads its file when it is opened: another step closes it.
    go(page, "words")
    go(page, "record")
    word = find(page, "#prompt-word").text
    play(sound, samples_of(word), rate)
    take_here(page, page.execute_script("return document.querySelectorAll('#clips li button').length / 2"))
    return word, find(page, "#prompt-state").text


def take_here(page, before):
    """Record a clip beside those there before."""
    find(page, "#take").click()
    wait_for(page, f"return document.querySelectorAll('#clips li button').length / 2 > {before}", seconds=30)
    wait_for(page, "return !document.getElementById('stop').offsetParent")


def train(page, *, small=True, seconds=120):
    go(page, "train")
    if small:
        page.execute_script("document.querySelector('#train-form details').open = true")
        find(page, "#small").click()
        find(page, "#epochs").send_keys("8")
    find(page, "#train-start").click()
    wait_for(page, "return /Finished|error/.test(document.getElementById('train-state').textContent)", seconds=seconds)
    assert "Finished" in find(page, "#train-state").text, find(page, "#train-now").text


def has_no_faults(page):
    if why_no_axe():
        return
    assert find_faults(page) == []


def drop_files(page, folder, pitches):
    """Add clips of two more people as files."""
    page.execute_script("document.getElementById('files').open = true")
    rng = np.random.default_rng(0)
    for speaker in ("Ben", "Cas"):
        be(page, speaker)
        for word, hertz in pitches.items():
            paths = []
            for place in range(4):
                paths.append(folder / f"{speaker}-{word}-{place}.wav")
                samples = np.pad(tone(hertz * rng.uniform(0.9, 1.1), rng.uniform(0.4, 0.7)), 12_000)
                soundfile.write(paths[-1], samples + 0.003 * rng.standard_normal(len(samples)), RATE)
            page.execute_script("document.getElementById('file-word').value = arguments[0]", word)
            page.execute_script("document.getElementById('file-results').replaceChildren()")
            find(page, "#file-input").send_keys("\n".join(map(str, paths)))
            told = "[...document.querySelectorAll('#file-results li')].map((each) => each.lastChild.textContent)"
            wait_for(page, f"return {told}.filter((each) => each !== '…').length === 4")
            assert page.execute_script(f"return {told}") == ["kept"] * 4
            wait_for(page, "return !document.getElementById('file-input').value")
