"""How words sound: what espeak-ng cannot say, and which words it says alike."""

import re
from collections.abc import Iterator, Mapping, Sequence

from sayso.config.schema import did_you_mean
from sayso.data.voices.espeak import shared_espeak
from sayso.errors import Fault, SettingsError

__all__ = ["distance", "find_alike", "find_unsayable", "pronounce"]

# Stress, length and what separates sounds; none of it tells two words apart that are heard alone.
_UNHEARD = re.compile("[ˈˌːˑ‿ ̩\u0361\u200d_|]")
_SWITCH = re.compile(r"\((\w[\w-]*)\)")


def pronounce(texts: Sequence[str], language: str) -> list[str]:
    """Give the sounds of texts in a language or accent: IPA without stress, length and spaces.

    Raises:
        MissingExtraError: espeak-ng is not installed.
        SettingsError: it has no such language.
    """
    with shared_espeak() as engine:
        if language not in engine.languages:
            known = did_you_mean(language, engine.languages)
            raise SettingsError([Fault("language", f"espeak-ng has no language '{language}'; {known}")])
        engine.choose(language, "")
        return [_UNHEARD.sub("", engine.spell(text)) for text in texts]


def find_unsayable(texts: Sequence[str], language: str) -> Iterator[tuple[str, str]]:
    """Yield each text that a language cannot say, and why.

    espeak-ng never fails: it says nothing, spells out signs that are not of the language, or changes to another one.
    """
    for text, sounds in zip(texts, pronounce(texts, language), strict=True):
        foreign = [sign for sign in text if not sign.isascii() and sign.isalpha()]
        if not sounds:
            yield text, "gives no sound"
        elif switch := _SWITCH.search(sounds):
            yield text, f"is said in another language ({switch[1]})"
        elif foreign and sounds == "".join(pronounce([sign for sign in text if not sign.isspace()], language)):
            yield text, f"is spelt out sign by sign ({sounds})"


def find_alike(texts: Mapping[str, str], languages: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """Yield pairs of words that sound the same in every one of these languages, and what they sound like.

    Args:
        texts: what is spoken for each word.
        languages: languages or accents that speak them.
    """
    words = list(texts)
    sounds = [pronounce([texts[word] for word in words], language) for language in languages]
    heard = list(zip(*sounds, strict=True)) if languages else []
    first_of: dict[tuple[str, ...], str] = {}
    for word, each in zip(words, heard, strict=False):
        first = first_of.setdefault(each, word)
        if first != word:
            yield first, word, each[0]


def distance(first: str, second: str) -> int:
    """How many sounds are changed, left out or put in between two pronunciations (Levenshtein 1966).

    >>> distance("tuː", "tu"), distance("stɒp", "ʃɒp")
    (1, 2)
    """
    row = list(range(len(second) + 1))
    for place, sign in enumerate(first, 1):
        diagonal, row[0] = row[0], place
        for column, other in enumerate(second, 1):
            diagonal, row[column] = row[column], min(row[column] + 1, row[column - 1] + 1, diagonal + (sign != other))
    return row[-1]
