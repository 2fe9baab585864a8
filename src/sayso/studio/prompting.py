"""How long a person is recorded for a word."""

__all__ = ["clip_seconds"]

_ROOM_SECONDS, _LETTER_SECONDS, _LONGEST_SECONDS = 1.5, 0.06, 8.0


def clip_seconds(text: str) -> float:
    """Seconds for what is spoken, with room to begin late and to speak slowly.

    >>> clip_seconds("stop"), clip_seconds("turn on the lights")
    (1.74, 2.58)
    """
    return round(min(_LONGEST_SECONDS, _ROOM_SECONDS + _LETTER_SECONDS * len(text)), 2)
