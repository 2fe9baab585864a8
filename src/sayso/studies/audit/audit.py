"""`audit`: a source in; findings, a page to listen to, and a list that training leaves out."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from sayso.config.overrides import merge, override_text, parse_overrides
from sayso.config.schema import did_you_mean, dump
from sayso.data.clips import Clip
from sayso.data.datasets import DATASETS
from sayso.data.faults.detector import Detector, Finding
from sayso.errors import DataError, InterruptedRunError
from sayso.recipe.defaults import Wishes, read_data_sections, suggest_audio
from sayso.recipe.recipe import Recipe, recipe_from_values
from sayso.recipe.source import find_recipe
from sayso.runs.folder import new_folder
from sayso.runtime.keeping import KEPT_TABLE, KeptLine, read_kept
from sayso.studies.audit.catalogue import choose_detectors
from sayso.studies.audit.findings import write_findings
from sayso.studies.audit.listening import Heard, listen
from sayso.studies.audit.mapping import MOST_AT_ONCE, draw_map
from sayso.studies.audit.page import write_audit
from sayso.system.files import check_writable
from sayso.system.progress import Progress
from sayso.system.wording import in_shell
from sayso.views.html.clip_map import MappedClips

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
    source: str = ""
    """Where they were listed, as a whole path; empty where that is no place, as for a kind of dataset."""
    trains_on: str = "RECIPE"
    """What `sayso train` is to be given for these clips; RECIPE where that is not known, as for a kind of dataset."""
    mapped: MappedClips | None = None
    """The map of the clips; None: it was not drawn."""
    kept: Mapping[str, KeptLine] = field(default_factory=dict[str, KeptLine])
    """What `sayso listen --keep` says of them, by path; none where it did not make them."""
    licences: tuple[str, ...] = ()
    """Whose they are and under which licences, where that is known."""

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
    with_map: bool | None = None,
    out: Path | None = None,
    progress: Progress | None = None,
) -> Audit:
    """Look through the clips of a source for faults, and write page, findings and exclusion file.

    Args:
        source: a folder of clips by word, a manifest, a recipe, or the kind of a dataset.
        overrides: `key=value` texts laid over its recipe, such as `dataset.max_bad_share=1`.
        only: names of faults; empty: all that are found without a training.
        mislabels: also train the models that find likely mislabels.
        with_map: also draw a map of the clips, and list those among another word's; None: where all faults are looked
            for among no more than 3,000 clips.
        out: folder of what is written; None: `audits/<name>-<time>`.
        progress: where to report.

    Raises:
        SettingsError: no such fault, or settings that do not fit.
        DataError: no usable clips, or a fault asked for by name cannot be looked for among so few.
        RunError: the folder is not empty, or another command's.
        OutputError: it cannot be written.
        InterruptedRunError: Ctrl-C while models are trained; all other findings are written.
    """
    progress = progress or Progress()
    detectors = choose_detectors(only, mislabels=mislabels)
    name, recipe = _recipe_of(source, overrides, progress)
    with new_folder("audits", name, out) as folder:
        check_writable(folder)
        listing = recipe.dataset.kept_listing(progress, recipe.split)
        for note in listing.notes:
            progress.note(note)
        _check_clips(source, listing.clips, detectors, only, mislabels=mislabels)
        with listen(listing.clips, recipe.audio, detectors, progress=progress) as heard:
            place = os.path.abspath(source) if Path(source).exists() else ""  # noqa: PTH100
            trains_on = in_shell(place) if place else "RECIPE"
            begun = Audit(folder, heard.corpus.clips, {}, heard.skipped, place, trains_on)
            begun = replace(begun, kept=_kept(source), licences=recipe.dataset.licences())
            if with_map is None:
                with_map = not only and len(heard.corpus) <= MOST_AT_ONCE
            return _judge(begun, name, heard, detectors, progress, threads=recipe.training.threads, with_map=with_map)


def _judge(
    begun: Audit,
    name: str,
    heard: Heard,
    detectors: Sequence[Detector],
    progress: Progress,
    *,
    threads: int | None,
    with_map: bool,
) -> Audit:
    """Find all faults and write them; those that take a training last, so that the others are kept when it stops."""
    quick = tuple(detector for detector in detectors if not detector.trains)
    found = replace(begun, findings=find_faults(heard, quick, progress))
    if with_map:
        found = replace(found, mapped=draw_map(heard.corpus, found.findings, progress, threads=threads))
    slow = tuple(detector for detector in detectors if detector.trains)
    if not slow:
        return _written(found, name)
    if quick:
        _written(found, name)
    try:
        # More threads gain little in a network so small, and lose much where others work on the same cores.
        more = find_faults(heard, slow, progress, threads=threads or 1)
    except (KeyboardInterrupt, InterruptedRunError) as stop:
        kept = f"all other findings are kept in {begun.folder}" if quick else "nothing was written"
        sought = " and ".join(detector.name for detector in slow)
        raise InterruptedRunError(f"stopped in the search for {sought}; {kept}") from stop
    both = {**found.findings, **more}
    return _written(replace(found, findings={one: both[one] for one in detectors}), name)


def find_faults(
    heard: Heard, detectors: Sequence[Detector], progress: Progress, *, threads: int = 1
) -> dict[Detector, tuple[Finding, ...]]:
    """Let every detector that can judge what was heard, those that train on `threads`; gives findings, worst first."""
    silent = _silent(heard, progress, threads)
    found: dict[Detector, tuple[Finding, ...]] = {}
    for detector in detectors:
        able = detector.why_not(heard.corpus.clips) is None
        findings = detector.find(heard.values[detector], heard.corpus, progress, threads=threads) if able else ()
        kept = (finding for finding in findings if detector.names_silent or finding.row not in silent)
        found[detector] = tuple(sorted(kept, key=lambda finding: (-finding.severity, finding.row)))
    return found


def _silent(heard: Heard, progress: Progress, threads: int) -> set[int]:
    """Clips in which nothing is to be heard, where that was measured."""
    telling = {detector: values for detector, values in heard.values.items() if detector.means_silent}
    return {
        finding.row
        for detector, values in telling.items()
        for finding in detector.find(values, heard.corpus, progress, threads=threads)
    }


def _written(found: Audit, name: str) -> Audit:
    write_findings(found.folder, found.clips, found.findings, found.skipped)
    write_audit(
        found.page,
        name,
        found.clips,
        found.findings,
        found.skipped,
        mapped=found.mapped,
        kept=found.kept,
        licences=found.licences,
        train_command=found.train_command,
        source=found.source,
    )
    return found


def _kept(source: str | Path) -> dict[str, KeptLine]:
    """What `sayso listen --keep` says of the clips of its folder, by path."""
    folder = Path(source).parent if Path(source).name == KEPT_TABLE else Path(source)
    lines = read_kept(folder) if folder.is_dir() else ()
    return {os.path.abspath(folder / line.path): line for line in lines}  # noqa: PTH100 - as anchored


def _check_clips(
    source: str | Path, clips: Sequence[Clip], detectors: Sequence[Detector], only: Sequence[str], *, mislabels: bool
) -> None:
    """Refuse before long work what so few clips cannot be asked; what was not asked for by name is only left out."""
    if len(clips) < _LEAST_CLIPS:
        raise DataError(f"{source}: an audit compares clips and needs at least {_LEAST_CLIPS}, here is {len(clips)}")
    for detector in detectors:
        options = ["--mislabels"] if mislabels and detector.trains else []
        options += [f"--only {detector.name}"] if detector.name in only else []
        if options and (why := detector.why_not(clips)):
            raise DataError(f"{source}: {detector.name} {why}; leave out {' and '.join(options)}")


def _recipe_of(source: str | Path, overrides: Sequence[str], progress: Progress) -> tuple[str, Recipe]:
    """The name and recipe of a source; a dataset's kind has rate and length suggested, as a folder has."""
    kind = str(source)
    if Path(source).exists() or Path(source).suffix:
        return find_recipe(source, overrides, wishes=Wishes(recordings_alone=True), progress=progress)
    if kind not in DATASETS.names():
        hint = did_you_mean(kind, DATASETS.names())
        raise DataError(f"{source}: neither a folder, a manifest or a recipe, nor the kind of a dataset; {hint}")
    laid_over = parse_overrides(overrides)
    values = merge({"dataset": {"kind": kind}}, laid_over)
    dataset, split = read_data_sections(values, source=kind, laid_over=laid_over)
    values["audio"] = suggest_audio(dataset.kept_listing(progress, split).clips, progress=progress)
    values["dataset"] = dump(dataset)
    return kind, recipe_from_values(values, source=kind, laid_over=laid_over)
