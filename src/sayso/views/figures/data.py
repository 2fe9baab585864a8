"""A data set: how many clips of what, by whom, how long, and what they look like."""

from collections import Counter
from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sayso.audio import AudioFormat, clip_from_file, probe
from sayso.config.schema import did_you_mean
from sayso.data.clips import Clip
from sayso.data.unknown_words import list_for_recipe
from sayso.errors import AudioError, DataError
from sayso.recipe.defaults import Wishes
from sayso.recipe.source import find_recipe
from sayso.system.progress import Progress
from sayso.views.figures import Pictures
from sayso.views.plots.counts import draw_bars, draw_histogram
from sayso.views.plots.grid import draw_spectrogram_grid

__all__ = ["draw_clips", "draw_dataset"]

_MOST_SPEAKERS = 40
_MOST_PROBED = 2000


def draw_dataset(
    source: str | Path, *, speaker: str | None = None, rows: int = 4, progress: Progress | None = None
) -> Pictures:
    """Draw the clips of a recipe, of a folder, or of a manifest.

    Args:
        source: a recipe file, or a folder of clips by word, or a manifest.
        speaker: fill the grid with clips of this speaker alone; None: a row for each of several speakers.
        rows: of the grid.
        progress: where to report.

    Raises:
        SettingsError: the recipe does not fit.
        DataError: no usable clips, or no such speaker.
    """
    progress = progress or Progress()
    _, recipe = find_recipe(source, wishes=Wishes(recordings_alone=True), progress=progress)
    listing = list_for_recipe(recipe.dataset, progress, recipe.split)
    return draw_clips(listing.clips, recipe.audio, speaker=speaker, rows=rows)


def draw_clips(clips: Sequence[Clip], audio: AudioFormat, *, speaker: str | None = None, rows: int = 4) -> Pictures:
    """Draw clips: counts by word and by speaker (where known), lengths, and a grid of spectrograms."""
    words = Counter(clip.label for clip in clips)
    speakers = Counter(clip.speaker for clip in clips if clip.speaker)
    if speaker is not None and speaker not in speakers:
        raise DataError(f"no speaker '{speaker}' among these clips; {did_you_mean(speaker, speakers)}")
    pictures = {"clips_per_word": draw_bars(dict(sorted(words.items())), title="Clips of each word", x_label="clips")}
    if len(speakers) > _MOST_SPEAKERS:
        pictures["clips_per_speaker"] = draw_histogram(
            np.array(list(speakers.values()), np.float64),
            title=f"Clips of each of {len(speakers):,} speakers",
            x_label="clips of one speaker",
            y_label="speakers",
            whole=True,
        )
    elif speakers:
        ranked = dict(sorted(speakers.items(), key=lambda item: (-item[1], item[0])))
        pictures["clips_per_speaker"] = draw_bars(ranked, title="Clips of each speaker", x_label="clips")
    seconds = _lengths(clips)
    of = f"{len(clips):,} clips" if len(seconds) == len(clips) else f"{len(seconds):,} of {len(clips):,} clips"
    pictures["lengths"] = draw_histogram(
        seconds,
        title=f"Lengths of {of}",
        x_label="length (s)",
        y_label="clips",
        mark=(audio.clip_seconds, f"the model hears {audio.clip_seconds:g} s"),
    )
    names, cells = _cells(clips, sorted(words), speaker, rows)
    pictures["spectrograms"] = draw_spectrogram_grid(
        [[_decode(clip, audio) for clip in row] for row in cells],
        rows=names,
        columns=sorted(words),
        sample_rate=audio.sample_rate,
        title=f"Clips of {speaker}" if speaker else "Clips of each word",
    )
    return pictures


def _cells(
    clips: Sequence[Clip], words: Sequence[str], speaker: str | None, rows: int
) -> tuple[list[str], list[list[Clip | None]]]:
    """Choose what each row is, and its clips by word: one speaker's takes, or a speaker a row, or any speakers.

    A row is a speaker where as many as there are rows said every word; else each clip of a word is by another speaker.
    """
    by: dict[str | None, dict[str, list[Clip]]] = {}
    for clip in clips:
        if speaker is None or clip.speaker == speaker:
            by.setdefault(clip.speaker, {}).setdefault(clip.label, []).append(clip)
    complete = sorted(who for who, said in by.items() if who and len(said) == len(words))
    if speaker is None and len(complete) > 1 and len(complete) >= min(rows, len(by)):
        chosen = complete[:rows]
        return chosen, [[by[who][word][0] for word in words] for who in chosen]
    # First takes of all, then second ones: another speaker each time for as long as there are more.
    takes = {word: _in_turn([said.get(word, []) for said in by.values()]) for word in words}
    count = min(rows, max(map(len, takes.values())))
    return [str(row + 1) for row in range(count)], [[_at(takes[w], row) for w in words] for row in range(count)]


def _in_turn(lists: Sequence[Sequence[Clip]]) -> list[Clip]:
    return [clip for turn in zip_longest(*lists) for clip in turn if clip is not None]


def _at(clips: Sequence[Clip], index: int) -> Clip | None:
    return clips[index] if index < len(clips) else None


def _decode(clip: Clip | None, audio: AudioFormat) -> NDArray[np.int16] | None:
    if clip is None:
        return None
    try:
        return clip_from_file(Path(clip.path), audio, start_seconds=clip.start_seconds, end_seconds=clip.end_seconds)
    except AudioError:
        return None  # packing counts and lists it


def _lengths(clips: Sequence[Clip]) -> NDArray[np.float64]:
    """Read the lengths in seconds from the headers of up to 2,000 clips, evenly over all."""
    seconds: list[float] = []
    for clip in clips[:: -(-len(clips) // _MOST_PROBED)]:
        try:
            length, _ = probe(Path(clip.path))
        except AudioError:
            continue
        seconds.append(min(clip.end_seconds or length, length) - (clip.start_seconds or 0.0))
    return np.array(seconds)
