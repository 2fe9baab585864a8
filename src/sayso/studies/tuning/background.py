"""Background that a model was not trained on, for two parts: recordings that are given, or speech that is made."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sayso.data.corpus import Corpus
from sayso.data.long_recordings import LongRecordings, find_sounds
from sayso.data.splits.settings import EACH_SPEAKER
from sayso.errors import AudioError, DataError
from sayso.recipe.negatives import check_recordings
from sayso.recipe.prepared import Prepared
from sayso.recipe.recipe import Recipe
from sayso.studies.tuning.material import Background, Material, Recording
from sayso.studies.tuning.other_speech import join_rejected, speak_other_words
from sayso.studies.tuning.sound_store import SoundStore, read_blocks
from sayso.system.files import file_digest
from sayso.system.progress import Progress
from sayso.system.wording import counted, listed, rounded

__all__ = ["gather", "materials"]

_NAMED = 3


def gather(
    prepared: Prepared, places: Sequence[Path], store: SoundStore, progress: Progress, *, rooms: float = 0.0
) -> Background:
    """Gather the background for both parts.

    Args:
        prepared: the run's recipe and clips.
        places: recordings, or folders of them, in which none of the words is said; none: other words are spoken by
            synthetic voices.
        store: where long sounds are kept.
        progress: where to report.
        rooms: share of the synthetic voices that speak in a simulated room.

    Raises:
        DataError: a place is not there or holds no sound, or the run was trained on one of the recordings, or one is a
            clip of its words.
        MissingExtraError: without recordings, and without the extra `voices`.
    """
    if places:
        read = _read_given(places, prepared, store, progress)
    else:
        read = speak_other_words(prepared, store, progress, rooms=rooms)
    return read.joined(join_rejected(prepared, progress))


def _read_given(places: Sequence[Path], prepared: Prepared, store: SoundStore, progress: Progress) -> Background:
    paths = _check_apart(_each_once(find_sounds(places)), prepared.recipe)
    rate = prepared.corpus.audio.sample_rate
    kept: dict[Path, slice] = {}
    bad: list[str] = []
    with progress.task("reading background", total=len(paths), unit="files") as task:
        for path in paths:
            try:
                kept[path] = store.add(read_blocks(path, rate))
            except AudioError as error:
                bad.append(str(error))
            task.advance()
    heard = [Recording(str(path), store.read(place)) for path, place in kept.items()]
    found = [one for one in heard if np.any(one.samples)]
    bad = [f"{one.name}: silent throughout" for one in heard if not np.any(one.samples)] + bad
    if not found:
        raise DataError(f"--background: none of {counted(len(paths), 'file')} holds sound that can be used: {bad[0]}")
    notes = [f"{counted(len(bad), 'file')} of background skipped: {listed(bad, _NAMED, between='; ')}"] if bad else []
    read = LongRecordings(tuple(one.samples for one in found), tuple(one.name for one in found), rate)
    check_recordings(read, prepared.corpus, given="--background")
    hours = read.seconds / 3600
    what = f"{counted(len(found), 'recording')} ({rounded(hours)} h)"
    if len(found) == 1:
        notes.append("one recording alone: its first half chooses the thresholds, its second half reports")
        first, second = np.array_split(found[0].samples, 2)
        return Background((Recording(found[0].name, first),), (Recording(found[0].name, second),), what, tuple(notes))
    return Background(tuple(found[::2]), tuple(found[1::2]), what, tuple(notes))


def _each_once(paths: Sequence[Path]) -> list[Path]:
    """Leave out files that are there already, under another name too: none may be in both parts."""
    sizes = Counter(path.stat().st_size for path in paths)
    marks = {file_digest(path) if sizes[path.stat().st_size] > 1 else str(path): path for path in reversed(paths)}
    return list(marks.values())[::-1]


def _check_apart(paths: list[Path], recipe: Recipe) -> list[Path]:
    """Refuse recordings that the run was trained on, under whatever name they are given now."""
    try:
        trained = find_sounds(recipe.rejection.recordings)
    except DataError:  # they are gone, and nobody can give them
        return paths
    sizes = {path.stat().st_size for path in trained}
    suspects = [path for path in paths if path.stat().st_size in sizes]
    if not suspects:
        return paths
    marks = {file_digest(path): path for path in trained}
    if same := [path for path in suspects if file_digest(path) in marks]:
        raise DataError(
            f"--background: the run was trained on {listed([str(path) for path in same], _NAMED)} "
            "(rejection.recordings), which says nothing of other sound; give recordings that it has not heard"
        )
    return paths


def _divide_noise(corpus: Corpus) -> tuple[dict[str, tuple[NDArray[np.int16], ...]], str]:
    """Give the noise that lies beneath each part, and what it is."""
    heard = tuple(noise for noise in corpus.noise if np.any(noise))
    if not heard:
        return {"validation": (), "test": ()}, "white noise beneath"
    if len(heard) == 1:
        return {"validation": heard, "test": heard}, "the data set's one recording of noise beneath, in both parts"
    what = f"the data set's {len(heard)} recordings of noise beneath, which trained too"
    return {"validation": heard[::2], "test": heard[1::2]}, what


def materials(prepared: Prepared, background: Background, *, rooms: float = 0.0) -> tuple[dict[str, Material], str]:
    """Put words, background and noise of each part together; and say what is heard around the words.

    Args:
        prepared: the run's recipe and clips; where speakers were left out in turn, both parts have all words.
        background: of both parts.
        rooms: share of the words that are said in simulated rooms.
    """
    noise, beneath = _divide_noise(prepared.corpus)
    recordings = {"validation": background.validation, "test": background.test}
    made = {
        part: Material(prepared.corpus, _heard_rows(prepared, part), recordings[part], noise[part], rooms)
        for part in ("validation", "test")
    }
    return made, f"{background.what}; {beneath}"


def _heard_rows(prepared: Prepared, part: str) -> NDArray[np.int64]:
    """Rows of the clips of a part that are not silent."""
    rows = prepared.rows("test" if prepared.split.kind == EACH_SPEAKER else part)
    return rows[[bool(np.any(prepared.corpus.samples[row])) for row in rows]] if len(rows) else rows
