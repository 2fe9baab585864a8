"""Common words of a language, one file each in `words/`: what people say when they say none of the wanted words."""

from collections.abc import Collection
from functools import cache
from importlib.resources import files

from sayso.data.voices.pronunciation import distance, pronounce

__all__ = ["common_words", "language_with_words", "other_words"]

_PACKAGE = "sayso.data.voices"


def language_with_words(language: str) -> str:
    """Give the language whose words a language or accent takes: its own, else English ones.

    >>> language_with_words("en-gb-scotland"), language_with_words("de"), language_with_words("sw")
    ('en', 'de', 'en')
    """
    own = language.partition("-")[0]
    return own if files(_PACKAGE).joinpath("words", f"{own}.txt").is_file() else "en"


@cache
def common_words(language: str) -> tuple[str, ...]:
    """Give the words that are kept for a language, in alphabetical order."""
    text = files(_PACKAGE).joinpath("words", f"{language}.txt").read_text(encoding="utf-8")
    return tuple(text.split())


def other_words(texts: Collection[str], *, language: str, without: Collection[str] = ()) -> dict[str, int]:
    """Give the common words that do not sound like one of these texts, and how many sounds each is away from one.

    Args:
        texts: what is wanted.
        language: a language or accent of espeak-ng, which is taken as the judge.
        without: words that are left out besides.

    Raises:
        MissingExtraError: espeak-ng is not installed.
    """
    words = [word for word in common_words(language_with_words(language)) if word not in without]
    wanted = pronounce([*texts], language)
    away = {
        word: min((distance(sounds, other) for other in wanted), default=len(sounds))
        for word, sounds in zip(words, pronounce(words, language), strict=True)
    }
    return {word: sounds for word, sounds in away.items() if sounds}
