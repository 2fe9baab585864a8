"""What a program in C is told of its model: sizes, how a stream is listened to, words and thresholds."""

import numpy as np

from sayso.runtime import Recognizer
from sayso.runtime.hops import Stateful, Windows
from sayso.runtime.stream_settings import StreamSettings

__all__ = ["config_header", "words_source"]


def config_header(
    recognizer: Recognizer, settings: StreamSettings, scorer: Stateful | Windows, *, heard: int, classes: int
) -> str:
    """Write `sayso_config.h`.

    Args:
        recognizer: the model.
        settings: how a stream is listened to.
        scorer: how hops follow one another.
        heard: samples that one step hears.
        classes: how many logits there are.
    """
    rate = recognizer.audio.sample_rate
    facts = {
        "SAMPLE_RATE": rate,
        "HOP": scorer.hop,
        "WINDOW": recognizer.audio.clip_samples,
        "WORDS": len(recognizer.labels),
        "CLASSES": classes,
        "HEARD": heard,
        "LEAD": scorer.lead,
        "FIRST": scorer.first,
        "SMOOTHING": settings.smoothing,
        "LEAST_HOPS": f"{1 + settings.count_hops(settings.least_seconds, rate)}u",
        "REFRACTORY_HOPS": f"{settings.count_hops(settings.refractory_seconds, rate)}u",
        "MARGIN": f"{settings.margin!r}f",
    }
    if settings.gate_db is not None:
        facts["GATE_POWER"] = repr(10 ** (settings.gate_db / 10) * 32768.0**2)
    lines = "\n".join(f"#define SAYSO_{name} {value}" for name, value in facts.items())
    return f"/* Written by `sayso export --c`: sizes of this model, and how a stream is listened to. */\n{lines}\n"


def words_source(recognizer: Recognizer, settings: StreamSettings) -> str:
    """Write `sayso_words.c`: the words, and the score from which on each is detected."""
    # In octal, as what follows a hexadecimal escape may be taken for part of it.
    words = ", ".join(f'"{_escaped(label)}"' for label in recognizer.labels)
    levels = ", ".join(f"{_level(settings.threshold_of(label))!r}f" for label in recognizer.labels)
    return (
        '#include "sayso.h"\n\n'
        f"const char *const sayso_labels[SAYSO_WORDS] = {{{words}}};\n"
        f"const float sayso_thresholds[SAYSO_WORDS] = {{{levels}}};\n"
    )


def _level(threshold: float) -> float:
    """As it is; where it is 1 in the precision of the program, whose scores come to that, above all of them."""
    return threshold if np.float32(threshold) < 1 else 2.0


def _escaped(text: str) -> str:
    return "".join(
        chr(each) if 32 <= each < 127 and chr(each) not in '"\\?' else f"\\{each:03o}" for each in text.encode()
    )
