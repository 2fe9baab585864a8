"""`audit`: a source in; findings, a page to listen to, and a list that training leaves out."""

import os
import shlex
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sayso.config.overrides import merge, override_text, parse_overrides
from sayso.config.schema import did_you_mean, dump, read
from sayso.data.clips import Clip
from sayso.data.datasets import DATASETS, Dataset
from sayso.errors import DataError, InterruptedRunError, RunError, SettingsError
from sayso.recipe.defaults import suggest_audio
from sayso.recipe.recipe import Recipe, recipe_from_values
from sayso.recipe.source import recipe_for
from sayso.studies.audit.catalogue import chosen_detectors
from sayso.studies.audit.detector import Detector, Finding
from sayso.studies.audit.detectors.silence import Silence
from sayso.studies.audit.files import write_findings
from sayso.studies.audit.listening import Heard, listen
from sayso.studies.audit.page import write_audit
from sayso.system.files import check_writable, find_free_path
from sayso.system.progress import Progress

__all__ = ["Audit", "audit", "find_faults"]

_LEAST_CLIPS = 2


@dataclass(frozen=True, eq=False)
class Audit:
    """What an audit found, and where it left it."""

    folder: Path
    clips: tuple[Clip, ...]
    """Those that could be read; findings name them by place."""
    findings: Mapping[Detector, tuple[Finding, ...]]
    """By detector that was asked, worst first; none by those of `not_looked_for`."""
    skipped: tuple[tuple[Clip, str], ...]
    """Clips that cannot be read, and why."""
    trains_on: str = "RECIPE"
    """What `sayso train` is to be given for these clips; RECIPE where that is not known, as for a kind of dataset."""

    @property
    def not_looked_for(self) -> dict[Detector, str]:
        """Why, by detector, the fault could not be looked for among these clips, such as "needs 100 clips"."""
        return {detector: why for detector in self.findings if (why := detector.why_not(self.clips))}

    @property
    def page(self) -> Path:
        """The page with players."""
        return self.folder / "audit.html"

    @property
    def exclusions(self) -> Path:
        """What `dataset.exclude` reads."""
        return self.folder / "exclude.csv"

    @property
    def train_command(self) -> str:
        """The command that trains without the excluded clips, from any working folder."""
        where = os.path.abspath(self.exclusions)  # noqa: PTH100 - as anchored
        return f"sayso train {self.trains_on} --set {override_text('dataset.exclude', where)}"

    @property
    def table(self) -> Path:
        """Every finding."""
        return self.folder / "findings.csv"


def audit(
    source: str | Path,
    *,
    overrides: Sequence[str] = (),
    only: Sequence[str] = (),
    mislabels: bool = False,
    out: Path | None = None,
    progress: Progress | None = None,
) -> Audit:
    """Look through the clips of a source for faults, and write page, findings and exclusion file.

    Args:
        source: a folder of clips by word, a manifest, a recipe, or the kind of a dataset.
        overrides: `key=value` texts laid over its recipe, such as `dataset.max_bad_share=1`.
        only: names of faults; empty: all but mislabels.
        mislabels: also train the folds that find likely mislabels.
        out: folder of what is written; None: `audits/<name>-<time>`.
        progress: where to report.

    Raises:
        SettingsError: no such fault, or settings that do not fit.
        DataError: no usable clips, or a fault asked for by name cannot be looked for among so few.
        RunError: the folder is not empty.
        OutputError: it cannot be written.
        InterruptedRunError: Ctrl-C in the search for mislabels; all other findings are written.
    """
    progress = progress or Progress()
    detectors = chosen_detectors(only, mislabels=mislabels)
    name, recipe = _recipe_of(source, overrides, progress)
    folder = _new_folder(name, out)
    check_writable(folder)
    listing = recipe.dataset.kept_listing(progress)
    for note in listing.notes:
        progress.note(note)
    clips = listing.clips
    _check_clips(source, clips, detectors, only, mislabels=mislabels)
    # More threads gain little in a network so small, and lose much where others work on the same cores.
    threads = recipe.training.threads or 1
    with listen(clips, recipe.audio, detectors, threads=threads, progress=progress) as heard:
        quick = tuple(detector for detector in detectors if detector.name != "mislabels")
        trains_on = shlex.quote(os.path.abspath(source)) if Path(source).exists() else "RECIPE"  # noqa: PTH100
        found = Audit(folder, heard.collection.clips, find_faults(heard, quick, progress), heard.skipped, trains_on)
        slow = tuple(detector for detector in detectors if detector not in quick)
        if not slow:
            return _written(found, name)
        if quick:
            _written(found, name)
        try:
            more = find_faults(heard, slow, progress)
        except (KeyboardInterrupt, InterruptedRunError) as stop:
            kept = f"all other findings are kept in {folder}" if quick else "nothing was written"
            raise InterruptedRunError(f"stopped in the search for mislabels; {kept}") from stop
        both = {**found.findings, **more}
        return _written(replace(found, findings={one: both[one] for one in detectors}), name)


def find_faults(heard: Heard, detectors: Sequence[Detector], progress: Progress) -> dict[Detector, tuple[Finding, ...]]:
    """Let every detector that can judge what was heard; gives its findings, worst first."""
    silent = _silent(heard, progress)
    found: dict[Detector, tuple[Finding, ...]] = {}
    for detector in detectors:
        able = detector.why_not(heard.collection.clips) is None
        findings = detector.find(heard.values[detector.name], heard.collection, progress) if able else ()
        kept = (finding for finding in findings if detector.names_silent or finding.row not in silent)
        found[detector] = tuple(sorted(kept, key=lambda finding: (-finding.severity, finding.row)))
    return found


def _silent(heard: Heard, progress: Progress) -> set[int]:
    """Clips in which nothing is to be heard, where that was measured."""
    values = heard.values.get(Silence.name)
    return set() if values is None else {found.row for found in Silence().find(values, heard.collection, progress)}


def _written(found: Audit, name: str) -> Audit:
    write_findings(found.folder, found.clips, found.findings, found.skipped)
    write_audit(found.page, name, found.clips, found.findings, found.skipped, train_command=found.train_command)
    return found


def _check_clips(
    source: str | Path, clips: Sequence[Clip], detectors: Sequence[Detector], only: Sequence[str], *, mislabels: bool
) -> None:
    """Refuse before long work what so few clips cannot be asked; what was not asked for by name is only left out."""
    if len(clips) < _LEAST_CLIPS:
        raise DataError(f"{source}: an audit compares clips and needs at least {_LEAST_CLIPS}, here is {len(clips)}")
    asked = [*([("mislabels", "--mislabels")] if mislabels else []), *((name, f"--only {name}") for name in only)]
    for detector in detectors:
        options = " and ".join(option for name, option in asked if name == detector.name)
        if options and (why := detector.why_not(clips)):
            raise DataError(f"{source}: {detector.name} {why}; leave out {options}")


def _recipe_of(source: str | Path, overrides: Sequence[str], progress: Progress) -> tuple[str, Recipe]:
    """The name and recipe of a source; a dataset's kind has rate and length suggested, as a folder has."""
    kind = str(source)
    if Path(source).exists() or Path(source).suffix:
        return recipe_for(source, overrides, progress=progress)
    if kind not in DATASETS.names():
        hint = did_you_mean(kind, DATASETS.names())
        raise DataError(f"{source}: neither a folder, a manifest or a recipe, nor the kind of a dataset; {hint}")
    laid_over = parse_overrides(overrides)
    values = merge({"dataset": {"kind": kind}}, laid_over)
    try:
        dataset = read(Dataset, values["dataset"], key="dataset")
    except SettingsError as error:
        raise SettingsError(error.faults, source=kind) from error
    values["audio"] = suggest_audio(dataset.kept_listing(progress).clips)
    values["dataset"] = dump(dataset)
    return kind, recipe_from_values(merge(values, laid_over), source=kind)


def _new_folder(name: str, out: Path | None) -> Path:
    folder = out or find_free_path(Path("audits") / f"{name}-{time.strftime('%Y%m%d-%H%M%S')}")
    if folder.is_dir() and any(folder.iterdir()):
        raise RunError(f"{folder}: exists and is not empty, nothing was changed; choose another --out")
    if folder.exists() and not folder.is_dir():
        raise RunError(f"{folder}: is a file, nothing was changed; choose another --out")
    return folder
