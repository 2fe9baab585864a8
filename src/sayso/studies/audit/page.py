"""One HTML page an audit: what was found, what each fault means, and the worst clips of each to hear and to see."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sayso.audio import decode, quantise
from sayso.data.clips import Clip, name_clips
from sayso.data.faults.detector import Detector, Finding
from sayso.data.listed_clips import ListedClips, write_listed_clips
from sayso.errors import AudioError
from sayso.runtime.keeping import KeptLine
from sayso.views.html import write_page
from sayso.views.html.clip_map import MappedClips, describe_map, names_on_map
from sayso.views.html.marks import PageClip, describe_clips
from sayso.views.html.media import picture_uri, sound_uri

__all__ = ["PLAYERS", "write_audit"]

PLAYERS = 12
"""Clips of each fault that are shown; the others are in `findings.csv`."""
MOST_KEPT = 300
"""Clips of `sayso listen --keep` that are shown."""
_MOST_SECONDS = 5.0


def write_audit(
    path: Path,
    title: str,
    clips: Sequence[Clip],
    findings: Mapping[Detector, tuple[Finding, ...]],
    skipped: Sequence[tuple[Clip, str]],
    *,
    mapped: MappedClips | None = None,
    kept: Mapping[str, KeptLine] | None = None,
    licences: Sequence[str] = (),
    train_command: str,
    source: str = "",
) -> None:
    """Write the page, and beside it which clips it lists, atomically.

    Sounds are as the files hold them, up to 5 s, at their own rate.

    Args:
        path: the page.
        title: what was audited.
        clips: those that could be read.
        findings: by detector, worst first.
        skipped: clips that could not be read, and why.
        mapped: a map of the clips, named by `name_clips`.
        kept: what `sayso listen --keep` says of them, by path.
        licences: whose they are and under which licences.
        train_command: the command that trains without what was found.
        source: where the clips were listed; empty: it has no place of its own.

    Raises:
        OutputError: the page cannot be written.
    """
    total = len(clips) + len(skipped)
    everything = [*clips, *(clip for clip, _ in skipped)]
    names = dict(zip(everything, name_clips(everything), strict=True))
    excluded = {one.row for detector, found in findings.items() if detector.excludes for one in found}
    heard = _kept_first(clips, kept or {})
    shown = {finding.row for found in findings.values() for finding in found[:PLAYERS]} | {row for row, _ in heard}
    on_map = names_on_map(mapped)
    on_page = [row for row, clip in enumerate(clips) if row in shown or names[clip] in on_map]
    labels = sorted({clip.label for clip in clips})
    parts = {(clip.path, clip.start_seconds): clip.part or "" for clip in (clips[row] for row in on_page)}
    write_listed_clips(path.parent, ListedClips(parts, labels, source, total))
    page_clips, places = _page_clips(clips, on_page, labels, findings, names, mapped, shown)
    write_page(
        path,
        "audit",
        title=title,
        clips=total,
        train_command=train_command,
        clip_licences=licences,
        faulty=len({one.row for found in findings.values() for one in found}) + len(skipped),
        excluded=len(excluded) + len(skipped),
        faults=[_fault(detector, clips, found, total, names, places) for detector, found in findings.items()],
        skipped=[(names[clip], why.removeprefix(f"{clip.path}: ")) for clip, why in skipped],
        page_clips=page_clips,
        mapped=mapped,
        map_of="what a network that knows speech, and none of these clips, hears in it",
        kept=[_kept_card(clips[row], line, names, places) for row, line in heard],
        kept_left=max(0, len(kept or {}) - MOST_KEPT),
    )


def _page_clips(
    clips: Sequence[Clip],
    rows: Sequence[int],
    labels: Sequence[str],
    findings: Mapping[Detector, Sequence[Finding]],
    names: Mapping[Clip, str],
    mapped: MappedClips | None,
    shown: set[int],
) -> tuple[dict[str, Any] | None, dict[str, int]]:
    """Give what the page's script knows of the clips that can be marked, and their places by name."""
    if not rows:
        return None, {}
    listed = [
        PageClip(names[clip], clip.path, clip.label, clip.speaker, clip.start_seconds, clip.part or "")
        for clip in (clips[row] for row in rows)
    ]
    facts, places = describe_clips(listed, labels)
    if mapped:
        fault_of = {each.row: detector.title for detector, found in [*findings.items()][::-1] for each in found}
        facts["faults"] = [fault_of.get(row) for row in rows]
        facts["map"] = describe_map(mapped, places, labels, {names[clips[row]] for row in shown})
        facts["sounds"] = facts["map"].pop("sounds")
    return facts, places


def _fault(
    detector: Detector,
    clips: Sequence[Clip],
    found: Sequence[Finding],
    total: int,
    names: Mapping[Clip, str],
    places: Mapping[str, int],
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
        "shown": [_card(clips, finding, names, places) for finding in found[:PLAYERS]],
        "left": len(found[PLAYERS:]),
    }


def _card(
    clips: Sequence[Clip], finding: Finding, names: Mapping[Clip, str], places: Mapping[str, int]
) -> dict[str, Any]:
    sounds = [clips[finding.row], *([] if finding.other is None else [clips[finding.other]])]
    clip = sounds[0]
    return {
        "place": places[names[clip]],
        "label": clip.label,
        "speaker": clip.speaker,
        "detail": finding.detail,
        "sounds": [_heard(one, names[one]) for one in sounds],
    }


def _kept_first(clips: Sequence[Clip], kept: Mapping[str, KeptLine]) -> list[tuple[int, KeptLine]]:
    """What was kept while listening, with its row: of the highest score first, as many as are shown."""
    found = [(row, kept[clip.path]) for row, clip in enumerate(clips) if clip.path in kept]
    return sorted(found, key=lambda pair: -pair[1].score)[:MOST_KEPT]


def _kept_card(clip: Clip, line: KeptLine, names: Mapping[Clip, str], places: Mapping[str, int]) -> dict[str, Any]:
    return {
        "place": places[names[clip]],
        "label": clip.label,
        "score": line.score,
        "threshold": line.threshold,
        "outcome": line.outcome,
        **_heard(clip, names[clip]),
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
