"""Synthetic voices: deterministic whatever was said before, silent on the terminal, and honest about what they are."""

import hashlib
import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sayso.audio import decode
from sayso.config.schema import read
from sayso.data.datasets import DatasetConfig
from sayso.data.datasets.synthetic import SyntheticConfig
from sayso.data.voices.espeak import SAMPLE_RATE, VARIANTS, speak
from sayso.errors import DataError, MissingExtraError, SettingsError
from sayso.system.progress import Progress

pytestmark = pytest.mark.skipif(importlib.util.find_spec("espeakng_loader") is None, reason="needs the extra `voices`")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SAYSO_CACHE", str(tmp_path / "first"))
    return tmp_path


def small(**settings: Any) -> SyntheticConfig:
    return SyntheticConfig(**{"words": ("yes", "no"), "voices": 3, "clips_per_voice": 2, **settings})


def contents(dataset: SyntheticConfig) -> dict[str, str]:
    return {
        Path(clip.path).name + clip.label: hashlib.sha256(Path(clip.path).read_bytes()).hexdigest()
        for clip in dataset.listing(Progress()).clips
    }


def test_clips_are_spoken_and_named(cache: Path) -> None:
    listing = small().listing(Progress())
    assert len(listing.clips) == 12
    assert {clip.label for clip in listing.clips} == {"yes", "no"}
    speakers = {clip.speaker for clip in listing.clips}
    assert len(speakers) == 3
    for clip in listing.clips:
        samples, rate = decode(Path(clip.path))
        assert rate == SAMPLE_RATE
        assert 0.1 < len(samples) / rate < 1.5
        assert np.abs(samples).max() > 0.02
        assert clip.speaker is not None
        assert clip.speaker in clip.path
    assert "spoken by a program" in listing.notes[0]


def test_same_settings_give_the_same_bytes_whatever_was_said_before(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = contents(small())
    speak("something else", variant="f2")
    monkeypatch.setenv("SAYSO_CACHE", str(cache / "second"))
    assert contents(small()) == first
    other = contents(small(seed=1))
    assert not set(other.values()) & set(first.values())


def test_made_once(cache: Path) -> None:
    dataset = small()
    assert dataset.location() is None
    times = [Path(clip.path).stat().st_mtime_ns for clip in dataset.listing(Progress()).clips]
    assert dataset.location() is not None
    assert [Path(clip.path).stat().st_mtime_ns for clip in dataset.listing(Progress()).clips] == times
    # What is left out has nothing to do with how they sound.
    assert small(max_bad_share=0.5).location() == dataset.location()
    assert small(seed=7).location() != dataset.location()


def test_no_two_takes_are_alike() -> None:
    hashes = list(contents(small(clips_per_voice=5)).values())
    assert len(set(hashes)) == len(hashes)


def test_voice_models_repeat_only_when_all_were_used() -> None:
    count = len(VARIANTS) + 3
    listing = small(words=("yes", "no"), voices=count, clips_per_voice=1).listing(Progress())
    speakers = {clip.speaker or "" for clip in listing.clips}
    assert len(speakers) == count
    assert {speaker.split("_")[1] for speaker in speakers} == set(VARIANTS)
    assert any(f"{count} voices come from {len(VARIANTS)} voice models" in note for note in listing.notes)


def test_texts_and_other_languages() -> None:
    listing = small(words=("ja", "nein"), texts=("jawohl", "nein"), languages=("de",)).listing(Progress())
    assert {clip.label for clip in listing.clips} == {"ja", "nein"}
    assert all((clip.speaker or "").startswith("de_") for clip in listing.clips)


def test_labels_in_any_script() -> None:
    listing = small(words=("да", "нет так"), languages=("ru",)).listing(Progress())
    assert {clip.label for clip in listing.clips} == {"да", "нет так"}


def test_a_word_without_sound_is_an_error_and_leaves_nothing(cache: Path) -> None:
    with pytest.raises(DataError, match="'no' gave no sound in en-us"):
        small(texts=("yes", "..."), languages=("en-us",)).listing(Progress())
    assert list((cache / "first" / "synthetic").iterdir()) == []


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"languages": ["en-uss"]}, r"languages\[0\]: no language 'en-uss'; did you mean 'en-us'\?"),
        ({"languages": []}, "languages: is empty"),
        ({"words": []}, "words: is empty"),
        ({"words": ["yes", "yes"]}, "'yes' stands there 2 times"),
        ({"words": ["a/b", ".."]}, "'a/b' cannot name a folder.*'..' cannot name a folder"),
        ({"words": ["a", "b"], "texts": ["a"]}, "texts: has 1 entries, must have one for each of the 2 words"),
        ({"pitch": [80, 20]}, "pitch: is .*, must be"),
        ({"rate_words_per_minute": [10, 2000]}, "rate_words_per_minute: is .*, must be"),
        ({"voices": 10**6}, "voices: is 1000000, must be at most"),
    ],
)
def test_settings_that_do_not_fit(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        read(DatasetConfig, {"kind": "synthetic", **settings})


def test_speaking_one_word() -> None:
    samples = speak("seven", language="en-gb", variant="f3", words_per_minute=150, pitch=60)
    assert samples.dtype == np.float32
    assert 0.2 < len(samples) / SAMPLE_RATE < 1.2
    assert 0.05 < np.abs(samples).max() <= 1.0
    assert len(speak("seven", words_per_minute=90)) > len(speak("seven", words_per_minute=300))
    assert len(speak("")) == 0


def test_speaking_with_voices_that_are_not_there() -> None:
    with pytest.raises(SettingsError, match="language: no language 'en-uss'; did you mean 'en-us'"):
        speak("seven", language="en-uss")
    with pytest.raises(SettingsError, match="variant: no voice model 'ff3'; did you mean 'f3'"):
        speak("seven", variant="ff3")


def test_missing_extra_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    with pytest.raises(MissingExtraError, match=r"pip install .*\[voices\]'"):
        small().listing(Progress())


def test_nothing_reaches_the_terminal() -> None:
    program = (
        "from sayso.data.datasets.synthetic import SyntheticConfig\n"
        "from sayso.data.voices.espeak import speak\n"
        "from sayso.system.progress import Progress\n"
        "SyntheticConfig(words=('a', 'b'), voices=2).listing(Progress()); speak('c')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert (done.stdout, done.stderr) == (b"", b"")
