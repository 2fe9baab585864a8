"""People who were never recorded talk to what the studio made of two others: the whole way, with real recordings."""

import time

import numpy as np
import pytest
import soundfile

pytest.importorskip("starlette", reason="needs the extra serve")
pytest.importorskip("selenium", reason="pages are tried in a browser by selenium")

from browser import chromium, needs_browser, wait_for, why_no_model, write_fake_sound
from sayso.data.datasets.fsdd import FsddConfig
from sayso.runs.folder import list_runs
from sayso.runtime import Recognizer
from sayso.studio.recordings import Recordings
from studio_page_made import be, find, go, record, silent_microphone, studio, train, type_words

pytestmark = needs_browser

STRANGERS = ("nicolas", "lucas", "yweweler")
RATE, PAUSE_SECONDS = 8_000, 1.5


@pytest.mark.slow
def test_three_digits_by_two_people_are_understood_of_a_third(tmp_path, record_property):
    """The whole way with people's recordings; what is asked of it stands in the test."""
    if (fsdd := FsddConfig().location()) is None:
        pytest.skip("needs FSDD below $SAYSO_DATA")
    words, sound = {"zero": 0, "one": 1, "seven": 7}, silent_microphone(tmp_path)
    with studio(tmp_path) as url, chromium(tmp_path, sound=sound) as page:
        page.get(url)
        wait_for(page, "return document.body.dataset.shown !== undefined")
        type_words(page, *words)
        for speaker in ("jackson", "theo"):
            be(page, speaker)
            counts = dict.fromkeys(words, 0)

            def samples_of(word, speaker=speaker, counts=counts):
                counts[word] += 1
                return read_digit(fsdd, words[word], speaker, counts[word])[0]

            for _ in range(8 * len(words)):
                record(page, sound, samples_of, RATE)
        assert len(Recordings(tmp_path / "clips").takes()) == 48
        train(page, small=False, seconds=900)
        go(page, "score")
        wait_for(page, "return document.getElementById('score-accuracy').textContent")
        if not why_no_model():
            detected = {name: hear(page, sound, fsdd, words, name) for name in STRANGERS}
            record_property("detected of 30, talking", detected)
            # Three seeds of this training, heard by `sayso.Stream`: 26 to 27 of the worst, 29 or 30 of the two others.
            assert min(detected.values()) >= 24, detected
            refused = {name: count_refused(page, sound, fsdd, name) for name in STRANGERS}
            record_property("other digits refused of 30, talking", refused)
            # Of six such trainings (three pairs of people, two draws of their clips) and four strangers each, heard by
            # `sayso.Stream`: 26 at the worst, 30 for 19 of 24, 29.5 in the mean.
            assert min(refused.values()) >= 22, refused
            assert sum(refused.values()) >= 78, refused
    [run] = list_runs(tmp_path / "runs")
    recognizer = Recognizer(run.onnx)
    right, mixed_up = {}, 0
    for speaker in STRANGERS:
        asked = [(word, place) for word in words for place in range(10)]
        heard = (read_digit(fsdd, words[word], speaker, place) for word, place in asked)
        answers = [recognizer.predict(samples, sample_rate=rate)[0].label for samples, rate in heard]
        right[speaker] = sum(answer == word for answer, (word, _) in zip(answers, asked, strict=True))
        mixed_up += sum(answer not in (word, None) for answer, (word, _) in zip(answers, asked, strict=True))
    record_property("right of 30", {**right, "worst": min(right.values()), "mixed up of 90": mixed_up})
    assert min(right.values()) >= 24, right
    assert mixed_up <= 5


def hear(page, sound, fsdd, words, speaker):
    """Play 30 clips to the step Talk; gives how many were detected as their word, and as nothing else."""
    said = [word for _ in range(10) for word in words]
    clips = [read_digit(fsdd, words[word], speaker, place // len(words))[0] for place, word in enumerate(said)]
    begins = [PAUSE_SECONDS * (place + 1) + sum(map(len, clips[:place])) / RATE for place in range(len(clips))]
    heard = play_to_talk(page, sound, clips)
    # When the file begins is Chromium's own affair, within half the pause between two clips.
    return max(count_right(said, begins, heard, offset) for offset in np.linspace(-0.7, 0.7, 15))


def count_right(said, begins, heard, offset):
    """Of words said from these seconds on, how many were detected before the next began, as themselves and once."""
    found = [[] for _ in said]
    for word, until in heard:
        found[max(0, int(np.searchsorted(begins, until - offset)) - 1)].append(word)
    return sum(each == [word] for each, word in zip(found, said, strict=True))


def count_refused(page, sound, fsdd, speaker):
    """Play 30 clips of digits that nobody taught it; gives how many were not taken for a word."""
    others = (2, 3, 4, 5, 6, 8, 9)
    clips = [read_digit(fsdd, others[place % len(others)], speaker, place // len(others))[0] for place in range(30)]
    return 30 - len(play_to_talk(page, sound, clips))


def play_to_talk(page, sound, clips):
    """Play clips with pauses to the step Talk; gives each word that it detects, with its second, in their order."""
    pause = np.zeros(round(PAUSE_SECONDS * RATE))
    whole = np.concatenate([pause, *(part for clip in clips for part in (clip, pause))])
    write_fake_sound(sound, np.concatenate([whole, np.zeros(20 * RATE)]), RATE)
    go(page, "talk")
    page.refresh()
    wait_for(page, "return document.getElementById('talk-body').textContent.includes('Ready')")
    find(page, "#talk-body button").click()
    time.sleep(len(whole) / RATE + 3)
    rows = page.execute_script(
        "return [...document.querySelectorAll('#talk-body [aria-label=Detections] tbody tr')]"
        ".map((row) => [...row.children].map((cell) => cell.textContent)).filter((row) => row.length === 3)"
    )
    return [(word, float(until.split()[0])) for word, _, until in reversed(rows)]


def read_digit(folder, digit, speaker, place):
    [path] = folder.rglob(f"{digit}_{speaker}_{place}.wav")
    return soundfile.read(path, dtype="float32")
