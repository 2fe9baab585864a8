"""Sensible settings for clips that come without a recipe, chosen from what the clips are."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sayso.audio import measure_extent, probe, read_sound
from sayso.config.overrides import merge, parse_overrides, retold
from sayso.config.schema import dump, read
from sayso.data.clips import Clip
from sayso.data.datasets import DatasetConfig
from sayso.data.datasets.folder import none_of_these
from sayso.data.datasets.mixed import mix
from sayso.data.datasets.other_words import OtherWordsConfig
from sayso.data.datasets.synthetic import SyntheticConfig
from sayso.data.losses import gather_reasons
from sayso.data.splits.settings import SplitSettings
from sayso.data.unknown_words import list_for_recipe
from sayso.data.voices.espeak import find_language_faults, is_installed
from sayso.errors import AudioError, Fault, SettingsError, install_command
from sayso.features.speech_embedding import LEAST_SAMPLES, SAMPLE_RATE, SpeechEmbeddingConfig
from sayso.models.pooled_mlp import PooledMlpConfig
from sayso.recipe.former import find_moved_keys
from sayso.recipe.recipe import Recipe, recipe_from_values
from sayso.recipe.words import Words, accents_of
from sayso.system.progress import Progress
from sayso.system.wording import counted, listed

__all__ = ["FOR_RECORDINGS", "Wishes", "read_data_sections", "suggest_audio", "suggest_for_words", "suggest_recipe"]

_PROBED = 200
_CLIPS_TO_SEE = 60_000
_MOST_FOR_PRETRAINED = 10_000
_PRETRAINED_SECONDS, _LONGEST_WORD, _LONGEST_PHRASE = 1.5, 2.0, 4.0
# A clip's length holds so many of the files, or of the sounds in them with some room around.
_HELD_SHARE, _ROOM_SECONDS, _LONGEST_HELD = 0.95, 0.2, 10.0
# Files longer than a phrase take some 10 ms each to listen to.
_LISTENED = 100
# Features of so many copies are computed in about 10 s on two cores.
_REPRESENTED, _MOST_COPIES = 1_500, 4
# 20, 40 and 80 epochs of few clips came to the same.
_STEPS, _FEWEST_EPOCHS, _MOST_EPOCHS = 1_500, 20, 25
# Of six families made from Speech Commands' training speakers (about nine recordings a word) strangers were understood
# best with 50 voices a word beside them: 92.2 without, 93.5 with 50, 92.9 with 100 and 93.0 with 200.
_FEW_SPEAKERS, _FEW_RECORDINGS, _VOICES_BESIDE = 10, 20, 50
# There too a convolution of two windows before the pools brought 95.0 % right instead of 94.4, and one of seven
# frames of the sounds beneath 95.7; twice the channels, longer ones, five networks and own words cut, reversed or
# joined as none of them brought nothing more. With sounds it took 15 % of other words for one of the five and lost 7
# % of the right answers where the threshold turns away 5 % of them, 21 and 5.5 at 3 %, 48 and 2 at 2 %; with the
# convolution of windows 32 and 4.4 at 5 %. Where recordings are many neither is used: runs of six words learned two
# more of five recordings each to 82 % by sounds, 85 % by the convolution of windows, 91 % without (validation clips,
# one draw).
_SOUNDS, _CONVOLVED = {"outputs": "sounds"}, {"channels": 256, "kernel": 7}
# Where a threshold from so few answers lay turned on chance: one of 0.2 for all of these families lost 1.7 % of the
# right answers and took 26 % of other words, one of 0.15 1.1 and 34, one of 0.25 2.6 and 21.
_FOR_FEW = {"lost_share": 0.03, "usual_threshold": 0.2}
# There too 2,500 or 3,000 clips of other words taught no more than 1,000.
_OTHER_CLIPS = 1_000
# People are understood less surely than voices: where 5 % of these are lost, 17 % of people's clips are that were named
# rightly; at 0.5 % it is 3 % (eight words of Speech Commands, training part).
_LOST_VOICES = 0.005
_SPOKEN_CLIPS, _FEWEST_VOICES, _MOST_VOICES = 3_000, 60, 300
# Voices are soon known by heart. Of eight words 86.4 % of people's clips were understood after 25 epochs at 2e-3, 88.0
# after 12 at 5e-4, of three words 94.5 and 95.7 (the same training part, three trainings each); 87.6 by dropout of 0.7
# at 2e-3; twice the units, copies or clips, 500 voices, windows at half the distance and stronger augmentation brought
# nothing more.
_FOR_SPOKEN = {"copies": 2, "learning_rate": 5e-4, "epochs": 12}
FOR_RECORDINGS: tuple[dict[str, Any], ...] = (
    {"kind": "speed", "most": 0.1},
    {"kind": "room", "probability": 0.4},
    {"kind": "equaliser", "most_db": 6.0},
    {"kind": "time_shift", "most_seconds": 0.15},
    {"kind": "noise", "lowest_snr_db": 5, "highest_snr_db": 40},
    {"kind": "gain", "most_db": 12},
)
# Learned from 300 voices a word, eight words of Speech Commands' training part were understood to 78 % without any of
# these, 87 % with all; without rooms 81, without shifts 81, without one of the others 86.6 to 87.1. Words that train
# earlier than they will lie are understood better: of validation clips 88.1 % where the shifts are even, 89.3 where
# their middle is 80 ms earlier, 89.5 where it is 160 (two trainings each).
_FOR_VOICES: tuple[dict[str, Any], ...] = (
    {"kind": "vocal_tract", "most": 0.15},
    {"kind": "speed", "most": 0.15},
    {"kind": "room", "probability": 0.5},
    {"kind": "equaliser", "most_db": 8.0},
    {"kind": "time_shift", "most_seconds": 0.2, "middle_seconds": -0.12},
    {"kind": "noise", "lowest_snr_db": 5, "highest_snr_db": 40},
    {"kind": "gain", "most_db": 12},
)


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """What a person, or a study, wants of the recipe that is suggested for clips without one."""

    small: bool = False
    """A small network from nothing, whatever else would be best."""
    language: str | None = None
    """What the synthetic voices beside the recordings speak: languages or accents of espeak-ng, parted by commas; None:
    English."""
    in_turn: bool = True
    """Few speakers are left out in turn; False for studies that divide the speakers themselves."""
    recordings_alone: bool = False
    """Nothing is added to the recordings, and nothing is said: for looking at them."""


def suggest_recipe(
    path: Path, overrides: Sequence[str] = (), *, wishes: Wishes | None = None, progress: Progress
) -> Recipe:
    """A recipe for a folder of clips or a manifest.

    Up to some thousands of clips it starts from Google's pretrained speech embedding, which understands new voices
    best; above, or where `small` is asked for, a small network is trained from nothing. What was chosen is noted.

    The rate of a small network is the commonest one of the files up to 16 kHz, that of the pretrained one 16 kHz; the
    length holds nearly all of them (of files longer than a word or a phrase, the sound in them), and of longer ones the
    loudest part is taken; a small network's epochs are as many
    as let a small folder be seen often enough.

    The pretrained start learns other words in synthetic voices as none of these, where espeak-ng is here and can say
    the words. Where recordings are few, such voices of the words train beside them, and each of up to
    ten speakers is left out in turn for the score.

    Rate and length are read from the headers of clips that the source does not give to the test part. Where it gives
    none, the test part is drawn only once the clips are cut to that length, so the headers of clips that come to be
    tested count too, and of long ones how many seconds the sound lasts; their words and speakers are not looked at.

    Raises:
        DataError: no usable clips are there.
        SettingsError: an override does not fit.
    """
    wishes = wishes or Wishes()
    laid_over = parse_overrides(overrides)
    values: dict[str, Any] = merge({"dataset": {"kind": "folder", "path": str(path)}}, laid_over)
    section = values["dataset"]
    if isinstance(section, Mapping) and section.get("kind") != "folder":
        raise SettingsError(
            [Fault("dataset.kind", "must be folder when a folder or manifest is given")], source=str(path)
        )
    dataset, split = read_data_sections(values, source=str(path), laid_over=laid_over)
    listing = list_for_recipe(dataset, progress, split)
    heard = [clip for clip in listing.clips if clip.part != "test"]
    count = len(listing.clips)
    values["dataset"] = dump(dataset)
    chosen = wishes.small or _rules_out_pretrained(laid_over)
    if wishes.recordings_alone or chosen or count > _MOST_FOR_PRETRAINED:
        reason = "as asked" if chosen else f"{count:,} clips are enough to learn from nothing"
        if not wishes.recordings_alone:
            progress.note(f"a small network is trained from nothing: {reason}")
        values["audio"] = suggest_audio(heard, progress=progress)
        values["training"] = {"epochs": int(np.clip(_CLIPS_TO_SEE // max(1, count), 15, 150))}
        if not wishes.recordings_alone:
            values |= _with_none_of_these({}, path)
        return recipe_from_values(values, source=str(path), laid_over=laid_over)
    values |= _pretrained(heard, count + _VOICES_BESIDE * len({clip.label for clip in heard}), progress)
    if laid_over.get("augment") == []:
        del values["training"]["copies"]
    if wishes.in_turn and "split" not in laid_over and _can_leave_each_out(listing.clips):
        values["split"] = {"by": "each_speaker"}
    beside, said = _voices_beside(listing.clips, dataset, "en" if wishes.language is None else wishes.language)
    beside = _with_none_of_these(beside, path)
    if "dataset" in beside:
        values["training"]["balance"] = "sources"
        values["features"] |= _SOUNDS
        values["model"] |= _CONVOLVED
    start = "starts from a pretrained network (speech_embedding), best for new voices; --small trains one from nothing"
    progress.note(f"{counted(count, 'clip')}{said}: {start}")
    own = {key: value for key, value in laid_over.items() if key != "dataset"}
    return recipe_from_values(values | beside, source=str(path), laid_over=own)


def _can_leave_each_out(clips: Sequence[Clip]) -> bool:
    """Whether speakers are few and all known, with every word said by two of them, and no test part is named."""
    clips = [clip for clip in clips if not clip.keeps_part]
    speakers = {clip.speaker for clip in clips}
    said_by: dict[str, set[str | None]] = {}
    for clip in clips:
        said_by.setdefault(clip.label, set()).add(clip.speaker)
    several = all(len(own) > 1 for own in said_by.values())
    return None not in speakers and len(speakers) <= _FEW_SPEAKERS and several and not any(clip.part for clip in clips)


def _voices_beside(clips: Sequence[Clip], dataset: DatasetConfig, language: str) -> tuple[dict[str, Any], str]:
    """Give sections of a recipe with other words and, where recordings are few, synthetic voices of the words.

    Returns:
        The sections, as plain values, and what is added, to be said; or none, and why: espeak-ng is not here, or cannot
        say these words apart.

    Raises:
        SettingsError: it has no such language.
    """
    labels = sorted({clip.label for clip in clips})
    if len(labels) < 2:  # the split refuses them
        return {}, ""
    if not is_installed():
        mend = install_command("voices")
        return {}, f" (no voices beside them, so that every sound will be taken for one of the words: {mend})"
    if faults := list(find_language_faults(accents_of(language))):
        raise SettingsError([Fault("--language", fault.message) for fault in faults])
    try:
        words = Words({label: re.sub(r"[-_]+", " ", label).strip() for label in labels}, accents_of(language))
    except SettingsError as error:
        return {}, f" (no voices beside them: {error.faults[0].message})"
    texts = [*words.texts.values()]
    sections: dict[str, Any] = {"rejection": {"negatives": [_other_words(texts, words.languages)]}}
    if len(clips) >= _FEW_RECORDINGS * len(labels):
        return sections, " and other words in synthetic voices"
    sections["rejection"] |= _FOR_FEW
    voices = SyntheticConfig(
        words=tuple(labels),
        texts=tuple(texts),
        languages=words.languages,
        voices=_VOICES_BESIDE,
        clips_per_voice=1,
    )
    sections["dataset"] = dump(mix(dataset, [voices]))
    said = f", {counted(_VOICES_BESIDE, 'synthetic voice')} of each word and other words in such voices"
    return sections, said


def _with_none_of_these(sections: dict[str, Any], path: Path) -> dict[str, Any]:
    """Add clips that a person put beside the words as saying none of them to the negatives of these sections."""
    if (none := none_of_these(path)) is None:
        return sections
    rejection = sections.get("rejection", {})
    return sections | {"rejection": rejection | {"negatives": [*rejection.get("negatives", []), dump(none)]}}


def suggest_for_words(words: Words, overrides: Sequence[str] = (), *, progress: Progress) -> Recipe:
    """A recipe that learns words from synthetic voices alone, on top of the pretrained speech embedding.

    The voices speak once, so that clips are as long as the words need.

    Raises:
        SettingsError: an override does not fit.
        MissingExtraError: espeak-ng is not installed.
    """
    if near := list(words.find_near()):
        progress.note(f"{listed(near, 3, count_rest=True)} differ in one sound: expect some to be mixed up")
    labels, texts = [*words.texts], [*words.texts.values()]
    voices = int(np.clip(_SPOKEN_CLIPS // len(labels), _FEWEST_VOICES, _MOST_VOICES))
    spoken = {"words": labels, "texts": [] if texts == labels else texts, "languages": list(words.languages)}
    dataset = {"kind": "synthetic", **spoken, "voices": voices, "clips_per_voice": 1}
    laid_over = parse_overrides(overrides)
    values: dict[str, Any] = merge({"dataset": dataset}, laid_over)
    read_dataset, split = read_data_sections(values, source="--words", laid_over=laid_over)
    clips = list_for_recipe(read_dataset, progress, split).clips
    values["split"] = {"by": "speakers", "test_share": 0.1, "validation": "speakers"}
    values |= _pretrained(clips, len(clips), progress)
    # Synthetic sounds are not those of people: by these 82 % of eight words' training part were understood, by the last
    # output 87.
    values["model"] = {"kind": PooledMlpConfig.kind, "hidden": 512, "dropout": 0.6}
    values["augment"] = [dict(each) for each in _FOR_VOICES]
    values["training"] |= _FOR_SPOKEN
    values["rejection"] = {"negatives": [_other_words(texts, words.languages)], "lost_share": _LOST_VOICES}
    return recipe_from_values(values, source="--words", laid_over=laid_over)


def _pretrained(clips: Sequence[Clip], count: int, progress: Progress) -> dict[str, Any]:
    """Plain values of a recipe on the pretrained speech embedding, for so many clips."""
    seconds = suggest_audio(clips, longest_seconds=_LONGEST_PHRASE, progress=progress).get("clip_seconds", 0.0)
    copies = int(np.clip(_REPRESENTED // max(1, count), 1, _MOST_COPIES))
    return {
        "audio": {"sample_rate": SAMPLE_RATE, "clip_seconds": max(_PRETRAINED_SECONDS, seconds), "fit": "loudest"},
        "features": {"kind": SpeechEmbeddingConfig.kind},
        "model": {"kind": PooledMlpConfig.kind, "hidden": 256, "dropout": 0.5},
        "augment": [dict(each) for each in FOR_RECORDINGS],
        "training": {
            "learning_rate": 2e-3,
            "epochs": int(np.clip(_STEPS * 64 // max(64, count), _FEWEST_EPOCHS, _MOST_EPOCHS)),
            "keep": "last",
            "copies": copies,
        },
    }


def _rules_out_pretrained(laid_over: Mapping[str, Any]) -> bool:
    """Whether overrides name features or a network, or clips that the pretrained one cannot hear."""
    audio = laid_over.get("audio")
    own = audio if isinstance(audio, Mapping) else {}
    other_rate = own.get("sample_rate", SAMPLE_RATE) != SAMPLE_RATE
    seconds = own.get("clip_seconds", _PRETRAINED_SECONDS)
    too_short = isinstance(seconds, int | float) and seconds < LEAST_SAMPLES / SAMPLE_RATE
    return "features" in laid_over or "model" in laid_over or other_rate or too_short


def _other_words(wanted: Sequence[str], languages: Sequence[str]) -> dict[str, Any]:
    own = {"wanted": list(wanted), "languages": list(languages)}
    return {"kind": OtherWordsConfig.kind, **own, "clips": _OTHER_CLIPS}


def read_data_sections(
    values: Mapping[str, Any], *, source: str, laid_over: Mapping[str, Any]
) -> tuple[DatasetConfig, SplitSettings]:
    """Read the sections `dataset` and `split` of plain values that overrides lie over; `source` names what is below.

    Raises:
        SettingsError: anything in them does not fit.
    """
    try:
        if faults := list(find_moved_keys(values)):
            raise SettingsError(faults)
        dataset = read(DatasetConfig, values["dataset"], key="dataset")
        return dataset, read(SplitSettings, values.get("split", {}), key="split")
    except SettingsError as error:
        raise retold(error, source=source, laid_over=laid_over) from error


def suggest_audio(
    clips: Sequence[Clip], *, longest_seconds: float = _LONGEST_WORD, progress: Progress | None = None
) -> dict[str, Any]:
    """Plain values of an `AudioFormat` from the headers of some files, evenly over the clips; empty: none is sound.

    The length holds nearly all files. Where that is more than `longest_seconds`, the files are listened to, and it
    holds the sound in nearly all of them, which is noted.
    """
    some = clips[:: max(1, len(clips) // _PROBED)]
    seconds: list[float] = []
    rates: Counter[int] = Counter()
    unread: list[tuple[str, str]] = []
    for clip in some:
        try:
            length, rate = probe(Path(clip.path))
        except AudioError as error:
            unread.append((clip.path, str(error)))  # packing counts and lists them
            continue
        start, end = clip.start_seconds or 0.0, clip.end_seconds or length
        seconds.append(min(end, length) - start)
        rates[rate] += 1
    if not seconds:
        if progress and unread:
            why = listed(gather_reasons(unread), 1, between="; ", count_rest=True)
            progress.note(f"rate and length are a guess, as no clip can be read: {why}")
        return {}
    rate = int(np.clip(rates.most_common(1)[0][0], 8_000, 16_000))
    longest = float(np.quantile(seconds, _HELD_SHARE))
    if longest > longest_seconds:
        longest = _measure_sound(some, least=longest_seconds, progress=progress or Progress())
    return {
        "sample_rate": rate,
        "clip_seconds": round(max(0.5, float(np.ceil(longest * 10) / 10)), 1),
        "fit": "loudest",
    }


def _measure_sound(clips: Sequence[Clip], *, least: float, progress: Progress) -> float:
    """Seconds from the first to the last sound of nearly all of some clips with room around it, from `least` to 10."""
    held: list[float] = []
    some = clips[:: max(1, len(clips) // _LISTENED)]
    with progress.task("listening to long clips", total=len(some), unit="clips") as task:
        for clip in some:
            task.advance()
            with suppress(AudioError):
                sound = read_sound(clip.path, start_seconds=clip.start_seconds, end_seconds=clip.end_seconds)
                held.append(measure_extent(sound.samples, sound.sample_rate))
    needed = float(np.quantile(held, _HELD_SHARE)) + _ROOM_SECONDS if held else 0.0
    seconds = float(np.clip(needed, least, _LONGEST_HELD))
    if needed > least:
        progress.note(
            f"most clips hold up to {needed - _ROOM_SECONDS:.1f} s of sound: audio.clip_seconds is {seconds:.1f}"
        )
    return seconds
