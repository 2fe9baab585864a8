"""Words alone: what a person types, read and checked for being sayable and distinct."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sayso.data.datasets.folder.found import OTHER_FOLDERS
from sayso.data.voices.espeak import ACCENTS, find_language_faults
from sayso.data.voices.pronunciation import distance, find_alike, find_unsayable, pronounce
from sayso.errors import Fault, SettingsError
from sayso.system.files import why_unread

__all__ = ["Words", "accents_of", "parse_words", "read_words_file"]

_MOST_WORDS = 500
_NOT_IN_A_FOLDER = {"/", "\\", "\0"}


@dataclass(frozen=True)
class Words:
    """Words to learn from text alone.

    Raises:
        SettingsError: they are too few or too many, stand there twice, cannot be said or sound alike, or a language is
            not there: all faults at once.
        MissingExtraError: espeak-ng is not installed.
    """

    texts: Mapping[str, str]
    """What is spoken, by label."""
    languages: tuple[str, ...]
    """Languages or accents of espeak-ng that speak it."""

    def __post_init__(self) -> None:
        faults = list(_label_faults([*self.texts]))
        faults += [Fault("--language", fault.message) for fault in find_language_faults(self.languages)]
        faults = faults or list(self._sound_faults())
        if faults:
            raise SettingsError(faults)

    def find_near(self) -> Iterator[str]:
        """Yield the pairs of words that differ in a single sound, as text: a recogniser will mix some of them up."""
        labels = [*self.texts]
        sounds = pronounce([*self.texts.values()], self.languages[0])
        for place, (label, own) in enumerate(zip(labels, sounds, strict=True)):
            for other, others in zip(labels[place + 1 :], sounds[place + 1 :], strict=True):
                if distance(own, others) == 1:
                    yield f"'{label}' and '{other}' ({own}, {others})"

    def _sound_faults(self) -> Iterator[Fault]:
        label_of = {text: label for label, text in self.texts.items()}
        # The accents of a language say the same texts, so the first of each will do.
        for language in {language.partition("-")[0]: language for language in reversed(self.languages)}.values():
            for text, why in find_unsayable([*self.texts.values()], language):
                yield Fault("--words", f"'{label_of[text]}' cannot be said: it {why} in {language}; write it otherwise")
        for first, second, sounds in find_alike(self.texts, self.languages):
            yield Fault(
                "--words", f"'{first}' and '{second}' sound alike ({sounds}); leave one out or say it otherwise"
            )


def parse_words(text: str, *, language: str = "en") -> Words:
    """Read words as they are typed: `lights on, lights off, stop`, or with what is spoken for each, `0=zero, 1=one`.

    Args:
        text: words parted by commas.
        language: languages or accents, parted by commas; English stands for six accents.

    Raises:
        SettingsError: as `Words`; or a word is written as `label=` with nothing behind it, or with several `=`.
    """
    entries = [entry.strip() for entry in text.split(",") if entry.strip()]
    if several := [entry for entry in entries if entry.count("=") > 1]:
        problem = f"'{several[0]}' has more than one =; a text with such goes into a file, for --words-file"
        raise SettingsError([Fault("--words", problem)])
    return _read(entries, language)


def read_words_file(path: Path, *, language: str = "en") -> Words:
    """Read words from a text file, one a line, `label=text` where they differ; commas belong to the text.

    A line begins anew after `#`; of several `=` the first parts label and text.

    Raises:
        SettingsError: as `parse_words`; or the file cannot be read as text.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        fault = Fault("--words-file", why_unread(error, "cannot be read as a text file"))
        raise SettingsError([fault], source=str(path)) from error
    entries = [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]
    try:
        return _read(entries, language)
    except SettingsError as error:
        faults = [replace(fault, key=fault.key.replace("--words", "--words-file")) for fault in error.faults]
        raise SettingsError(faults, source=str(path)) from error


def _read(entries: Sequence[str], language: str) -> Words:
    pairs = [_pair(entry) for entry in entries]
    counts = Counter(label for label, _ in pairs)
    if twice := [f"'{label}' stands there {count} times" for label, count in counts.items() if count > 1]:
        raise SettingsError([Fault("--words", each) for each in twice])
    return Words(dict(pairs), accents_of(language))


def _pair(entry: str) -> tuple[str, str]:
    label, equals, text = (part.strip() for part in entry.partition("="))
    if equals and not (label and text):
        raise SettingsError([Fault("--words", f"'{entry}' is no label=text")])
    return label, text or label


def accents_of(languages: str) -> tuple[str, ...]:
    """Give the accents that speak languages, which are parted by commas: English has six, others their own name.

    >>> accents_of("de, en-gb")
    ('de', 'en-gb')
    """
    names = [each.strip() for each in languages.split(",") if each.strip()]
    return tuple(dict.fromkeys(accent for name in names for accent in (ACCENTS if name == "en" else (name,))))


def _label_faults(labels: Sequence[str]) -> Iterator[Fault]:
    if len(labels) < 2:
        yield Fault("--words", f"{len(labels)} given, a recogniser needs at least two, such as 'lights on, lights off'")
    if len(labels) > _MOST_WORDS:
        yield Fault("--words", f"{len(labels)} given, at most {_MOST_WORDS} can be told apart")
    for label in labels:
        if label.startswith(".") or _NOT_IN_A_FOLDER & set(label):
            yield Fault("--words", f"'{label}' cannot name a folder; write label=text")
        elif label.casefold() in OTHER_FOLDERS:
            yield Fault("--words", f"'{label}' cannot be a word: folders of that name hold other sounds than words")
