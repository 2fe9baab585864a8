"""One HTML page an audit: what was found, what each fault means, and the worst clips of each to hear and to see."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sayso.audio import decode, quantise
from sayso.data.clips import Clip, name_clips
from sayso.data.faults.detector import Detector, Finding
from sayso.errors import AudioError
from sayso.views.html import write_page
from sayso.views.html.media import picture_uri, sound_uri

__all__ = ["PLAYERS", "write_audit"]

PLAYERS = 12
"""Clips of each fault that are shown; the others are in `findings.csv`."""
_MOST_SECONDS = 5.0


def write_audit(
    path: Path,
    title: str,
    clips: Sequence[Clip],
    findings: Mapping[Detector, tuple[Finding, ...]],
    skipped: Sequence[tuple[Clip, str]],
    *,
    train_command: str,
) -> None:
    """Write the page, atomically. Sounds are as the files hold them, up to 5 s, at their own rate.

    Args:
        path: the page.
        title: what was audited.
        clips: those that could be read.
        findings: by detector, worst first.
        skipped: clips that could not be read, and why.
        train_command: the command that trains without what was found.

    Raises:
        OutputError: the page cannot be written.
    """
    total = len(clips) + len(skipped)
    everything = [*clips, *(clip for clip, _ in skipped)]
    names = dict(zip(everything, name_clips(everything), strict=True))
    excluded = {one.row for detector, found in findings.items() if detector.excludes for one in found}
    write_page(
        path,
        "audit",
        title=title,
        clips=total,
        train_command=train_command,
        faulty=len({one.row for found in findings.values() for one in found}) + len(skipped),
        excluded=len(excluded) + len(skipped),
        faults=[_fault(detector, clips, found, total, names) for detector, found in findings.items()],
        skipped=[(names[clip], why.removeprefix(f"{clip.path}: ")) for clip, why in skipped],
    )


def _fault(
    detector: Detector, clips: Sequence[Clip], found: Sequence[Finding], total: int, names: Mapping[Clip, str]
) -> dict[str, Any]:
    rows = {finding.row for finding in found}
    return {
        "name": detector.name,
        "title": detector.title,
        "meaning": detector.meaning,
        "threshold": detector.threshold,
        "excludes": detector.excludes,
        "why_not": detector.why_not(clips),
        "clips": len(rows),
        "share": len(rows) / total,
        "shown": [_card(clips, finding, names) for finding in found[:PLAYERS]],
        "left": len(found[PLAYERS:]),
    }


def _card(clips: Sequence[Clip], finding: Finding, names: Mapping[Clip, str]) -> dict[str, Any]:
    sounds = [clips[finding.row], *([] if finding.other is None else [clips[finding.other]])]
    clip = sounds[0]
    return {
        "label": clip.label,
        "speaker": clip.speaker,
        "detail": finding.detail,
        "sounds": [_heard(one, names[one]) for one in sounds],
    }


def _heard(clip: Clip, name: str) -> dict[str, Any]:
    try:
        samples, rate = decode(clip.path, start_seconds=clip.start_seconds, end_seconds=clip.end_seconds)
    except AudioError:  # gone since it was listened to
        return {"name": name, "label": clip.label, "sound": None, "picture": None, "seconds": 0.0}
    shown = quantise(samples[: int(_MOST_SECONDS * rate)])
    return {
        "name": name,
        "label": clip.label,
        "sound": sound_uri(shown, rate),
        "picture": picture_uri(shown, rate),
        "seconds": len(samples) / rate,
    }
