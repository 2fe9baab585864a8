"""A folder of recordings that people add to: its words, its people, its clips, as ordinary files.

A clip is `FOLDER/word/speaker/time.flac`, one that only trains `FOLDER/_training_only_/word/speaker/time.flac`, and one
that says none of the words `FOLDER/_none_of_these_/speaker/time.flac`. It is written under a name that nobody reads,
brought to the disk, renamed, entered into the manifest, and only then counts as kept. Several programs may write to one
folder: each waits for the other, and no name is used twice.
"""

import errno
import os
import secrets
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from sayso.audio import encode_sound, quantise
from sayso.data.datasets.folder.found import NOISE_FOLDER, NONE_FOLDER, ONLY_TRAINS, TRAINING_FOLDER, spelled
from sayso.errors import DataError, Fault, OutputError, SettingsError
from sayso.studio.names import free_folder_name, read_name
from sayso.studio.places import Place, count_nameless, find_corrections, find_everything, find_recordings
from sayso.studio.takes import MANIFEST, Take, append_take, read_takes, write_takes
from sayso.studio.words import Word, Words, read_words, write_words
from sayso.system.claims import locked_file
from sayso.system.files import atomic_path, check_writable

__all__ = ["Recordings"]

_LOCK = ".sayso-studio-lock"
_CLIP_LOST = "this clip was not saved"
_FULL = (errno.ENOSPC, errno.EDQUOT)


class Recordings:
    """A folder of recordings; every question looks at the disk, so that what others add is seen.

    Args:
        folder: made where it is not there.

    Raises:
        OutputError: it cannot be written to.
    """

    def __init__(self, folder: Path) -> None:
        check_writable(folder)
        self.folder = Path(os.path.abspath(folder))  # noqa: PTH100 - without .., and links as they are

    def words(self) -> tuple[Word, ...]:
        """The words that were typed, and those of which there are clips, in that order."""
        return self._words().words

    def _words(self) -> Words:
        known = read_words(self.folder)
        labels = {take.path: take.label for take in read_takes(self.folder).values()}
        for place in find_recordings(self.folder):
            known = known.with_word(Word(labels.get(place.path, place.word), "", place.folder))
            if place.speaker and place.speaker_folder:
                known = known.with_speaker(place.speaker, place.speaker_folder)
        return known

    def set_words(self, words: Sequence[tuple[str, str]]) -> tuple[Word, ...]:
        """Take these words, with what is spoken for each (empty: the word itself), instead of those before.

        Raises:
            SettingsError: a name cannot be used or stands there twice, or a word that is left out has clips.
            OutputError: they cannot be written.
        """
        names = [
            (read_name(word, what="word"), spoken.strip() and read_name(spoken, what="text")) for word, spoken in words
        ]
        seen: set[str] = set()
        for word, _ in names:
            if word.casefold() in seen:
                raise SettingsError([Fault("", f"'{word}' stands there twice; take one out")])
            seen.add(word.casefold())
        with self._alone():
            before = self._words()
            kept = {take.label for take in self._all() if take.label != NONE_FOLDER}
            if gone := sorted(kept - {word for word, _ in names}):
                raise SettingsError([Fault("", f"'{gone[0]}' has clips; remove those first, or keep the word")])
            folders = {word.word: word.folder for word in before.words}
            taken = [*folders.values()]
            made: list[Word] = []
            for word, spoken in names:
                folder = folders.get(word) or free_folder_name(word, taken, what="word")
                taken.append(folder)
                made.append(Word(word, spoken, folder))
            self._write_words(Words(tuple(made), before.speakers), lost="the words were not saved")
            return tuple(made)

    def takes(self) -> list[Take]:
        """Every clip that is there, by path: as the manifest has it, or as its folders say."""
        return self._takes(find_recordings(self.folder))

    def corrections(self) -> list[Take]:
        """Every clip that only trains: of words, then those that say none of them, labelled `_none_of_these_`."""
        return self._takes(find_corrections(self.folder), split=ONLY_TRAINS)

    def nameless(self) -> int:
        """How many files and folders have names that are no text, and are passed over."""
        return count_nameless(self.folder)

    def _all(self) -> list[Take]:
        return [*self.takes(), *self.corrections()]

    def _takes(self, places: Iterable[Place], split: str | None = None) -> list[Take]:
        told, known = read_takes(self.folder), read_words(self.folder)
        words = {word.folder: word.word for word in known.words}
        people = {folder: name for name, folder in known.speakers.items()}

        def by_folders(place: Place) -> Take:
            speaker = people.get(place.speaker, place.speaker) if place.speaker else None
            part = None if place.folder == NONE_FOLDER else split
            return Take(path=place.path, label=words.get(place.folder, place.word), speaker=speaker, split=part)

        return [told.get(place.path) or by_folders(place) for place in places]

    def find(self, path: str) -> Take:
        """The clip of this path; nothing but clips of this folder is found.

        Raises:
            DataError: there is none.
        """
        for take in self._all():
            if take.path == path:
                return take
        raise DataError("there is no such clip; it was removed, or never there")

    def add(
        self, word: str, speaker: str, samples: NDArray[Any], sample_rate: int, *, facts: Mapping[str, Any]
    ) -> Take:
        """Keep a clip; when this returns, it is on the disk.

        Args:
            word: one of the words.
            speaker: who says it.
            samples: (samples,), floats in [-1, 1] or int16.
            sample_rate: in hertz.
            facts: what is known of it, of plain values, as `Take.take`.

        Raises:
            SettingsError: the word is none of them, or the name cannot be used.
            OutputError: it cannot be written; nothing is left of it.
        """
        return self._add(word, speaker, encode_sound(quantise(samples), sample_rate, "FLAC"), facts, only_trains=False)

    def add_correction(
        self, word: str | None, speaker: str, samples: NDArray[Any], sample_rate: int, *, facts: Mapping[str, Any]
    ) -> Take:
        """Keep a clip that only ever trains, as `add` does.

        Args:
            word: one of the words; None: none of these is said, whatever the words will be.
            speaker: as `add`, and so on.
            samples: as `add`.
            sample_rate: as `add`.
            facts: as `add`.

        Raises:
            SettingsError: as `add`.
            OutputError: as `add`.
        """
        return self._add(word, speaker, encode_sound(quantise(samples), sample_rate, "FLAC"), facts, only_trains=True)

    def _add(
        self, word: str | None, speaker: str, content: bytes, facts: Mapping[str, Any], *, only_trains: bool
    ) -> Take:
        speaker = read_name(speaker, what="speaker")
        with self._alone():
            words = self._words()
            here = NONE_FOLDER if word is None else words.folder_of(word)
            if here is None:
                raise SettingsError([Fault("", f"'{word}' is none of the words; add it first")])
            if (folder := words.speakers.get(speaker)) is None:
                folder = free_folder_name(speaker, words.speakers.values(), what="speaker")
                words = words.with_speaker(speaker, folder)
                self._write_words(words, lost=_CLIP_LOST)
            now = datetime.now().astimezone()
            above = f"{TRAINING_FOLDER}/{here}" if only_trains and word is not None else here
            path = f"{above}/{folder}/{now:%Y%m%d-%H%M%S}-{secrets.token_hex(4)}.flac"
            take = Take(
                path=path,
                label=NONE_FOLDER if word is None else word,
                speaker=speaker,
                split=ONLY_TRAINS if only_trains and word is not None else None,
                take={"recorded_at": now.isoformat(timespec="milliseconds"), **facts},
            )
            self._write(self.folder / path, content, take)
            return take

    def remove(self, path: str) -> None:
        """Remove a clip of this folder.

        Raises:
            DataError: there is none of this path.
            OutputError: it cannot be removed.
        """
        with self._alone():
            take = self.find(path)
            with _plain_errors("this clip was not removed"):
                (self.folder / take.path).unlink()
                told = read_takes(self.folder)
                if told.pop(path, None):
                    write_takes(self.folder, told.values())

    def training_source(self) -> Path:
        """What `sayso train` is given: the folder, or its manifest where folders are not called as was typed.

        Raises:
            OutputError: clips that others put there cannot be entered into the manifest.
        """
        takes = self._all()
        if all(_is_plain(take) for take in takes):
            return self.folder
        with self._alone():
            write_takes(self.folder, [*takes, *self._beside(takes)])
        return self.folder / MANIFEST

    def _beside(self, takes: Iterable[Take]) -> Iterator[Take]:
        """What a training on the folder hears besides: clips deeper below their words, and background noise."""
        named = {word.folder: word.word for word in self._words().words}
        known = {take.path for take in takes}
        for place in find_everything(self.folder):
            if place.path not in known:
                is_word = place.word not in (NOISE_FOLDER, NONE_FOLDER)
                label = named.get(place.folder, place.word) if is_word else place.word
                part = ONLY_TRAINS if place.path.startswith(f"{TRAINING_FOLDER}/") else None
                yield Take(path=place.path, label=label, speaker=place.speaker, split=part)

    def _write(self, path: Path, content: bytes, take: Take) -> None:
        with _plain_errors(_CLIP_LOST):
            with atomic_path(path) as temporary:
                temporary.write_bytes(content)
            try:
                _sync_folders(path.parent, self.folder)
                append_take(self.folder, take)
            except BaseException:
                path.unlink(missing_ok=True)
                raise

    def _write_words(self, words: Words, *, lost: str) -> None:
        with _plain_errors(lost):
            write_words(self.folder, words)

    @contextmanager
    def _alone(self) -> Generator[None]:
        with ExitStack() as held:
            with _plain_errors("nothing was changed"):
                held.enter_context(locked_file(self.folder / _LOCK, waits=lambda: None))
            yield


def _is_plain(take: Take) -> bool:
    word, *between = take.path.removeprefix(f"{TRAINING_FOLDER}/").split("/")[:-1]
    return spelled(word) == take.label and [spelled(name) for name in between] == (
        [take.speaker] if take.speaker else []
    )


def _sync_folders(first: Path, last: Path) -> None:
    """Have the names of new files and folders on the disk, from the inner folder to the outer."""
    for folder in (first, *first.parents):
        with suppress(OSError):  # some file systems cannot
            handle = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
        if folder == last:
            return


@contextmanager
def _plain_errors(what: str) -> Generator[None]:
    """Say of a full disk, or one that cannot be written, what became of what a person just did."""
    try:
        yield
    except OutputError as error:
        if isinstance(cause := error.__cause__, OSError) and cause.errno in _FULL:
            raise OutputError(f"the disk is full, so {what}; free some space and do it again") from cause
        raise
    except OSError as error:
        if error.errno in _FULL:
            raise OutputError(f"the disk is full, so {what}; free some space and do it again") from error
        raise OutputError(f"{what}: {error.strerror or error}") from error
