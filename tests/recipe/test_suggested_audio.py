"""The length that is suggested for clips: that of the files, or of the sound in long ones."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from sayso.data.clips import Clip
from sayso.recipe.defaults import suggest_audio
from sayso.system.progress import Progress

RATE = 8000


class Notes(Progress):
    """Keeps what is said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def note(self, text: str) -> None:
        self.said.append(text)


def spoken(*words: float, seconds: float) -> np.ndarray:
    """Words of 0.5 s that begin at these seconds, in a faint hiss."""
    sound = np.random.default_rng(0).normal(0, 1e-3, round(seconds * RATE))
    time = np.arange(RATE // 2) / RATE
    for start in words:
        first = round(start * RATE)
        sound[first : first + len(time)] += 0.2 * np.sqrt(np.hanning(len(time))) * np.sin(2 * np.pi * 200 * time)
    return sound


def suggested(folder: Path, sound: np.ndarray, **options: float) -> tuple[float, list[str]]:
    """The length that is suggested for ten such files, and what is said."""
    clips = [Clip(str(folder / f"{index}.wav"), "yes") for index in range(10)]
    for clip in clips:
        soundfile.write(clip.path, sound, RATE)
    notes = Notes()
    return suggest_audio(clips, progress=notes, **options)["clip_seconds"], notes.said


@pytest.mark.parametrize(("seconds", "wanted"), [(0.3, 0.5), (0.71, 0.8), (2.0, 2.0)])
def test_files_of_a_word_are_taken_whole(tmp_path: Path, seconds: float, wanted: float) -> None:
    assert suggested(tmp_path, spoken(seconds=seconds)) == (wanted, [])


def test_phrases_keep_their_last_words(tmp_path: Path) -> None:
    phrase = spoken(0.6, 1.4, 2.2, 3.4, seconds=5.0)
    says = ["most clips hold up to 3.3 s of sound: audio.clip_seconds is 3.5"]
    assert suggested(tmp_path, phrase) == (3.5, says)
    assert suggested(tmp_path, phrase, longest_seconds=4.0) == (4.0, [])


def test_a_word_in_a_long_file_needs_no_more_than_before(tmp_path: Path) -> None:
    assert suggested(tmp_path, spoken(3.0, seconds=8.0)) == (2.0, [])


def test_even_a_speech_is_not_packed_whole(tmp_path: Path) -> None:
    seconds, said = suggested(tmp_path, spoken(*range(15), seconds=16.0))
    assert seconds == 10.0
    assert said[0].endswith("audio.clip_seconds is 10.0")


def test_a_guess_is_said_where_no_clip_can_be_read(tmp_path: Path) -> None:
    notes = Notes()
    assert suggest_audio([Clip(str(tmp_path / f"{index}.wav"), "yes") for index in range(3)], progress=notes) == {}
    missing = f"{tmp_path / '0.wav'} and 2 more: no such file"
    assert notes.said == [f"rate and length are a guess, as no clip can be read: {missing}"]
