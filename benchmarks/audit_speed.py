"""How long `sayso audit` looks through Speech Commands, the search for mislabels aside."""

import tempfile
import time
from pathlib import Path

from benchmarks.contest import Contest, Figure, NotHereError
from sayso.data.datasets.speech_commands import SpeechCommandsConfig
from sayso.studies.audit.audit import audit
from sayso.system.progress import Progress

AUDIT = "sayso: audit"
MOST_SECONDS = 60.0


def contest(*, full: bool) -> Contest:
    """Set the contest up: every clip that is here, read once so that it lies in memory.

    Raises:
        NotHereError: Speech Commands is not on this machine.
    """
    del full  # always all of them: that is what the target is about
    if SpeechCommandsConfig().location() is None:
        raise NotHereError("needs Speech Commands v0.01; set SAYSO_DATA to the folder that holds speech_commands_v0.01")
    clips = SpeechCommandsConfig().listing(Progress()).clips
    for clip in clips:
        Path(clip.path).read_bytes()
    return Contest(
        title=f"audit of {len(clips):,} clips, page included, without mislabels",
        sides={AUDIT: _seconds},
        figures=(Figure("seconds", lambda s: s[AUDIT], most=MOST_SECONDS),),
    )


def _seconds() -> float:
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        audit("speech_commands", out=Path(folder) / "audit", progress=Progress())
        return time.perf_counter() - start
