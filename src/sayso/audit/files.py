"""Findings as files: all of them as CSV, and those that training is to leave out."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from sayso.audit.detector import Detector, Finding
from sayso.clips import Clip
from sayso.exclusions import Exclusion, write_exclusions
from sayso.files import write_text

__all__ = ["UNREADABLE", "write_findings"]

UNREADABLE = "unreadable"
"""The fault of files that are no sound; no detector finds it."""
_COLUMNS = ("clip", "start_seconds", "label", "speaker", "fault", "severity", "detail", "other", "excluded")
Found = Mapping[Detector, tuple[Finding, ...]]
Skipped = Sequence[tuple[Clip, str]]


def write_findings(folder: Path, clips: Sequence[Clip], findings: Found, skipped: Skipped) -> None:
    """Write `findings.csv`, a line for each fault of each clip, and `exclude.csv`, a line for each clip to leave out.

    Raises:
        OutputError: the folder cannot be written.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for clip, why in skipped:
        writer.writerow([*_of(clip), UNREADABLE, "", why, "", "yes"])
    for detector, found in findings.items():
        for finding in found:
            other = "" if finding.other is None else clips[finding.other].path
            excluded = "yes" if detector.excludes else "no"
            measured = [detector.name, f"{finding.severity:.6g}", finding.detail, other, excluded]
            writer.writerow([*_of(clips[finding.row]), *measured])
    write_text(folder / "findings.csv", text.getvalue())
    write_exclusions(folder / "exclude.csv", list(_exclusions(clips, findings, skipped)))


def _of(clip: Clip) -> list[object]:
    start = "" if clip.start_seconds is None else clip.start_seconds
    return [clip.path, start, clip.label, clip.speaker or ""]


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
