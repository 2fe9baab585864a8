"""One person at a microphone in a terminal: word after word, each clip kept before the next is asked for."""

from collections.abc import Callable, Sequence
from contextlib import closing

import numpy as np
from numpy.typing import NDArray

from sayso.errors import AudioError, Fault, SettingsError
from sayso.runtime.live import Source, Tell
from sayso.studio.intake import Intake
from sayso.studio.names import read_name
from sayso.studio.prompting import clip_seconds
from sayso.studio.recordings import Recordings
from sayso.studio.takes import Take
from sayso.studio.words import Word

__all__ = ["choose_words", "hold_session"]

_AGAIN, _END = "r", "q"


def choose_words(recordings: Recordings, wanted: Sequence[str]) -> tuple[Word, ...]:
    """Give the words to be recorded, in order; those that the folder does not know yet are entered there.

    Args:
        recordings: the folder.
        wanted: words; empty: all that it knows.

    Raises:
        SettingsError: there is none, or one cannot be used.
        OutputError: they cannot be entered.
    """
    known = recordings.words()
    names = [word.word for word in known]
    asked = dict.fromkeys(read_name(each, what="word") for each in wanted)
    if new := [word for word in asked if word not in names]:
        known = recordings.set_words([*((word.word, word.spoken) for word in known), *((word, "") for word in new)])
    if not known:
        what = "has no words yet; name some, such as sayso record yes no"
        raise SettingsError([Fault("", f"{recordings.folder} {what}")])
    return tuple(word for word in known if not asked or word.word in asked)


def hold_session(
    recordings: Recordings,
    words: Sequence[Word],
    *,
    speaker: str,
    clips: int,
    open_microphone: Callable[[], Source],
    ask: Callable[[str], str],
    tell: Tell,
) -> int:
    """Record each word so often, in turn, until all is said or the person ends it.

    Args:
        recordings: where clips are kept.
        words: to be said.
        speaker: who says them.
        clips: how many each word shall have of this person, those there already included.
        open_microphone: opens it, anew for every clip, so that it holds no sound of before.
        ask: shows a line and gives what is typed; EOFError ends the session.
        tell: takes what is to be read.

    Returns:
        How many clips were kept.

    Raises:
        SaysoError: the microphone or the folder fails; what was kept stays.
    """
    intake, kept, last = Intake(recordings), 0, None
    while word := _next(recordings, words, speaker, clips, after=last.label if last else None):
        again = f"; {_AGAIN}: the last one again" if last else ""
        have = sum(take.label == word.word for take in _of(recordings, speaker))
        try:
            typed = ask(f"say '{word.spoken or word.word}' ({have + 1} of {clips}) [Enter{again}; {_END}: end] ")
        except EOFError:
            break
        if (typed := typed.strip().lower()) == _END:
            break
        if typed == _AGAIN and last:
            recordings.remove(last.path)
            word = next(each for each in words if each.word == last.label)
            kept -= 1
        last = _record(intake, word, speaker, open_microphone, tell)
        kept += last is not None
    return kept


def _of(recordings: Recordings, speaker: str) -> list[Take]:
    return [take for take in recordings.takes() if take.speaker == speaker]


def _next(recordings: Recordings, words: Sequence[Word], speaker: str, clips: int, *, after: str | None) -> Word | None:
    """The word with the fewest clips, the next in turn; None: each has enough."""
    takes = _of(recordings, speaker)
    counts = {word.word: sum(take.label == word.word for take in takes) for word in words}
    place = next((place for place, word in enumerate(words, 1) if word.word == after), 0)
    short = [word for word in (*words[place:], *words[:place]) if counts[word.word] < clips]
    return min(short, key=lambda word: counts[word.word], default=None)


def _record(intake: Intake, word: Word, speaker: str, open_microphone: Callable[[], Source], tell: Tell) -> Take | None:
    seconds = clip_seconds(word.spoken or word.word)
    with closing(open_microphone()) as source:
        tell(f"speak now ({seconds:.1f} s)")
        samples = _hear(source, seconds)
    settings = {"label": source.name, "sampleRate": source.sample_rate}
    try:
        take = intake.record(word.word, speaker, samples, round(source.sample_rate), settings=settings)
    except AudioError as error:
        tell(str(error))
        return None
    for remark in take.take.get("remarks", ()):
        tell(f"note: {remark} Type {_AGAIN} to take it again.")
    return take


def _hear(source: Source, seconds: float) -> NDArray[np.float32]:
    """Give so many seconds of sound without a gap, (samples,)."""
    wanted = round(seconds * source.sample_rate)
    heard: list[NDArray[np.float32]] = []
    for block in source.blocks():
        if block is None:  # it was gone, and is back
            heard = []
            continue
        heard.append(np.asarray(block, np.float32).mean(axis=1))
        if sum(map(len, heard)) >= wanted:
            break
    return np.concatenate(heard or [np.zeros(0, np.float32)])[:wanted]
