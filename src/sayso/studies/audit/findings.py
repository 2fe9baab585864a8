"""Findings as files: all of them as CSV, and those that training is to leave out."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from sayso.data.clips import Clip
from sayso.data.exclusions import Exclusion, write_exclusions
from sayso.data.faults.detector import Detector, Finding
from sayso.system.files import csv_text, write_text

__all__ = ["UNREADABLE", "write_findings"]

UNREADABLE = "unreadable"
"""The fault of files that are no sound; no detector finds it."""
_COLUMNS = (
    *("clip", "start_seconds", "label", "speaker", "fault", "severity", "detail"),
    *("other", "other_start_seconds", "excluded"),
)
Found = Mapping[Detector, tuple[Finding, ...]]
Skipped = Sequence[tuple[Clip, str]]


def write_findings(folder: Path, clips: Sequence[Clip], findings: Found, skipped: Skipped) -> None:
    """Write `findings.csv`, a line for each fault of each clip, and `exclude.csv`, a line for each clip to leave out.

    Raises:
        OutputError: the folder cannot be written.
    """
    rows = [[*_place(clip), clip.label, clip.speaker, UNREADABLE, "", why, "", "", "yes"] for clip, why in skipped]
    for detector, found in findings.items():
        for finding in found:
            clip = clips[finding.row]
            measured = [detector.name, f"{finding.severity:.6g}", finding.detail]
            other = ["", ""] if finding.other is None else _place(clips[finding.other])
            excluded = "yes" if detector.excludes else "no"
            rows.append([*_place(clip), clip.label, clip.speaker, *measured, *other, excluded])
    write_text(folder / "findings.csv", csv_text([_COLUMNS, *rows]))
    write_exclusions(folder / "exclude.csv", list(_exclusions(clips, findings, skipped)))


def _place(clip: Clip) -> list[object]:
    return [clip.path, clip.start_seconds]


def _exclusions(clips: Sequence[Clip], findings: Found, skipped: Skipped) -> Iterator[Exclusion]:
    """One a clip, by the first of its faults in the order of the catalogue."""
    for clip, why in skipped:
        yield Exclusion(clip.path, clip.start_seconds, UNREADABLE, why)
    named: set[int] = set()
    for detector, found in findings.items():
        for finding in found if detector.excludes else ():
            if finding.row not in named:
                named.add(finding.row)
                clip = clips[finding.row]
                yield Exclusion(clip.path, clip.start_seconds, detector.name, finding.detail)
