"""What a model file says of itself, checked: labels, temperature, threshold. What cannot be raises ValueError."""

import math
from typing import cast

__all__ = ["check_labels", "check_temperature", "check_threshold"]


def check_labels(labels: object) -> tuple[str, ...]:
    """Give the words: a list of texts, none of them empty, none twice."""
    texts = cast(list[object], labels) if isinstance(labels, list) else []
    words = tuple(text for text in texts if isinstance(text, str) and text)
    if not words or len(set(words)) < len(texts):
        raise ValueError("labels are no list of words")
    return words


def check_temperature(temperature: object) -> float:
    """Give what the logits are divided by, a number above 0."""
    number = _number(temperature)
    if not 0 < number < math.inf:
        raise ValueError(f"temperature {temperature}")
    return number


def check_threshold(threshold: object) -> float | None:
    """Give the probability below which no word is named; None where a word always is."""
    if threshold is None:
        return None
    number = _number(threshold)
    if not 0 <= number <= 1:
        raise ValueError(f"threshold {threshold}")
    return number


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
