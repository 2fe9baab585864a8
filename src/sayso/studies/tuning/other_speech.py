"""Speech that is none of the words, where nobody gave recordings of any: synthetic voices, and words to reject."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sayso.audio import decode, quantise, resample, to_float
from sayso.data.clips import Listing
from sayso.data.corpus import Corpus, pack, take
from sayso.data.datasets.other_words import OtherWordsConfig
from sayso.data.datasets.synthetic import SyntheticConfig
from sayso.data.made_streams import find_active
from sayso.errors import MissingExtraError
from sayso.recipe.prepared import Prepared
from sayso.studies.tuning.material import Background, Recording
from sayso.studies.tuning.rooms import in_rooms
from sayso.studies.tuning.sound_store import SoundStore
from sayso.system.progress import Progress
from sayso.system.wording import counted

__all__ = ["join_rejected", "speak_other_words"]

_OTHER_CLIPS, _OTHER_VOICES, _OTHER_SEED = 3000, 60, 7919
"""The seed is one that no training would have by itself."""
_MOST_REJECTED = 600
_TOGETHER = 25
_AROUND_SECONDS = 0.03
_SHORTEST_GAP_SECONDS, _LONGEST_GAP_SECONDS = 0.05, 0.35


def speak_other_words(prepared: Prepared, store: SoundStore, progress: Progress, *, rooms: float = 0.0) -> Background:
    """Have other words spoken by synthetic voices, one word after the other; each voice is a recording of one part.

    Args:
        prepared: the run's recipe and clips.
        store: where the sound is kept.
        progress: where to report.
        rooms: share of the voices that speak in a simulated room.

    Raises:
        MissingExtraError: the extra `voices` is not installed.
    """
    try:
        clips = _other_words(prepared).listing(progress).clips
    except MissingExtraError as error:
        raise MissingExtraError("synthetic voices (or --background DIR without them)", extra="voices") from error
    paths: dict[str, list[str]] = defaultdict(list)
    for clip in clips:
        paths[str(clip.speaker)].append(clip.path)
    rng = np.random.default_rng(_OTHER_SEED)
    rate = prepared.corpus.audio.sample_rate
    places: dict[str, slice] = {}
    with progress.task("joining other words", total=len(paths), unit="voices") as task:
        for name, own in paths.items():
            words = (resample(*decode(path), rate) for path in own)
            places[name] = store.add(_in_room(_join(words, rng, rate), rooms, rng, rate))
            task.advance()
    voices = [Recording(f"voice {name}", store.read(place)) for name, place in places.items()]
    what = f"{counted(len(clips), 'word')} that are none of the model's, in {len(voices)} synthetic voices"
    note = (
        "without --background nobody's real speech was heard: people may be taken for a word more often than such "
        "voices"
    )
    return Background(tuple(voices[::2]), tuple(voices[1::2]), what, (note,))


def _in_room(
    blocks: Iterator[NDArray[np.int16]], share: float, rng: np.random.Generator, sample_rate: int
) -> Iterator[NDArray[np.int16]]:
    """Yield what is said, all of it in one room where that is drawn."""
    said = list(blocks)
    if not said or rng.random() >= share:
        yield from said
        return
    yield quantise(in_rooms(to_float(np.concatenate(said))[None], sample_rate, rng, echo=False)[0])


def _other_words(prepared: Prepared) -> OtherWordsConfig:
    """Other words than those of the run, in its languages, of a seed of their own."""
    recipe = prepared.recipe
    own = [each for each in recipe.rejection.negatives if isinstance(each, OtherWordsConfig)]
    wanted = tuple(label.replace("_", " ").replace("-", " ") for label in prepared.corpus.labels)
    if own:
        started = replace(own[0], exclude=None, relabel=None)
    elif isinstance(recipe.dataset, SyntheticConfig):
        spoken = recipe.dataset.texts or recipe.dataset.words
        started = OtherWordsConfig(wanted=spoken, languages=recipe.dataset.languages)
    else:
        started = OtherWordsConfig(wanted=wanted)
    return replace(started, clips=_OTHER_CLIPS, voices=_OTHER_VOICES, seed=_OTHER_SEED)


def join_rejected(prepared: Prepared, progress: Progress) -> Background | None:
    """Lay clips of `dataset.reject_words` one after the other, by speaker; None where the recipe has none."""
    tested = prepared.unknown_words
    if tested is None:
        return None
    if prepared.split.kind == "random":
        rows = np.arange(len(tested))
        parts = {"validation": take(tested, rows[::2]), "test": take(tested, rows[1::2])}
    else:
        theirs = set(tested.clips)
        others = [clip for clip in prepared.unknown_clips if clip not in theirs]
        others = others[:: max(1, -(-len(others) // _MOST_REJECTED))]
        share = prepared.recipe.dataset.max_bad_share
        parts = {"test": tested}
        if others:
            listing = Listing(tuple(others))
            parts["validation"] = pack(listing, prepared.recipe.audio, progress=progress, max_bad_share=share)
    made = {part: tuple(_join_clips(corpus)) for part, corpus in parts.items()}
    count = sum(map(len, parts.values()))
    return Background(made.get("validation", ()), made["test"], f"{counted(count, 'clip')} of words to reject")


def _join_clips(corpus: Corpus) -> Iterator[Recording]:
    """Yield the clips of each speaker one after the other, or so many where nobody knows who speaks."""
    rng = np.random.default_rng(_OTHER_SEED)
    groups: Mapping[str, list[int]] = defaultdict(list)
    for row, clip in enumerate(corpus.clips):
        name = f"of {clip.speaker}" if clip.speaker else f"{row // _TOGETHER + 1}"
        groups[f"words to reject {name}"].append(row)
    for name, rows in groups.items():
        words = (to_float(np.array(corpus.samples[row])) for row in rows)
        joined = list(_join(words, rng, corpus.audio.sample_rate))
        if joined:
            yield Recording(name, np.concatenate(joined))


def _join(
    words: Iterator[NDArray[np.float32]], rng: np.random.Generator, sample_rate: int
) -> Iterator[NDArray[np.int16]]:
    """Yield each word that is heard at all, without the silence around it, and a short gap behind it."""
    around = round(_AROUND_SECONDS * sample_rate)
    for word in words:
        if not np.any(word):
            continue
        first, end = find_active(word, sample_rate)
        gap = round(rng.uniform(_SHORTEST_GAP_SECONDS, _LONGEST_GAP_SECONDS) * sample_rate)
        yield quantise(word[max(0, first - around) : end + around])
        yield np.zeros(gap, np.int16)
