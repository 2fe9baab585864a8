"""Sound that the page sends, and what it says a model got wrong: clips that only ever train."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sayso.data.datasets.folder.found import NONE_FOLDER
from sayso.errors import AudioError, Fault, SettingsError
from sayso.http.requests import read_body
from sayso.studio.intake import MOST_BYTES, Intake, plain_settings
from sayso.studio.recordings import Recordings
from sayso.studio.requests import text_of, told
from sayso.studio.takes import Take

__all__ = ["Corrections", "Heard", "plain_take", "read_sound"]

_BEYOND_RATE = 1e12  # infinity and what is no number, too


@dataclass(frozen=True, eq=False)
class Heard:
    """What a microphone heard, and what is said of it."""

    samples: NDArray[np.float32]
    """(samples,)."""
    sample_rate: int
    """In hertz."""
    speaker: str
    settings: dict[str, Any]
    """Of the microphone, in plain values."""
    facts: dict[str, Any]
    """All that is said, not believed yet."""


async def read_sound(request: Request) -> Heard:
    """Read a request that brings what a microphone heard: float32, as told in its header.

    Raises:
        SettingsError: it does not say its rate, or who speaks.
        AudioError: it brings no sound.
        TooLargeError: it is larger than a clip may be.
    """
    facts = told(request)
    rate = facts.get("sample_rate")
    if not isinstance(rate, int | float) or not abs(rate) < _BEYOND_RATE:
        raise SettingsError([Fault("", "the request does not say its sample_rate, in hertz")])
    speaker = text_of(facts, "speaker")
    content = await read_body(request, most=MOST_BYTES, what="the recording")
    if not content or len(content) % 4:
        raise AudioError("the microphone gave no sound; record it again")
    samples = np.frombuffer(content, "<f4").astype(np.float32)
    return Heard(samples, round(rate), speaker, plain_settings(facts.get("settings")), facts)


class Corrections:
    """Answers what the step Talk asks about clips that a model got wrong.

    Args:
        recordings: the folder that keeps them.
        intake: takes them in.
    """

    def __init__(self, recordings: Recordings, intake: Intake) -> None:
        self._recordings, self._intake = recordings, intake

    async def list(self, request: Request) -> Response:
        """Give all of them, newest first."""
        del request
        takes = await run_in_threadpool(self._recordings.corrections)
        newest = sorted(takes, key=lambda take: take.path.rpartition("/")[2], reverse=True)
        return JSONResponse({"clips": [plain_take(take) for take in newest]})

    async def keep(self, request: Request) -> Response:
        """Keep one; when this answers, it is on the disk."""
        sound = await read_sound(request)
        word = sound.facts.get("word")
        if word is not None:
            word = text_of(sound.facts, "word")
        take = await run_in_threadpool(
            self._intake.correct,
            word,
            sound.speaker,
            sound.samples,
            sound.sample_rate,
            settings=sound.settings,
            heard=plain_settings(sound.facts.get("heard")),
        )
        return JSONResponse(plain_take(take), 201)


def plain_take(take: Take) -> dict[str, Any]:
    """Give of a clip what the page shows, in plain values; a word that is null: none of the words."""
    return {
        "path": take.path,
        "word": None if take.label == NONE_FOLDER else take.label,
        "speaker": take.speaker or "",
        "remarks": take.take.get("remarks") or [],
        "recorded_at": take.take.get("recorded_at", ""),
    }
