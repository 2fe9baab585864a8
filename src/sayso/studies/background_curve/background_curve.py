"""`sayso background-curve`: a recipe trained on ever more of its background, and what more of it would bring."""

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from sayso.errors import DataError, Fault, SettingsError
from sayso.runs.folder import RunFolder
from sayso.studies.background_curve.hearing import hear_trial
from sayso.studies.background_curve.page import write_background_curve
from sayso.studies.background_curve.plan import Plan, make_plan
from sayso.studies.background_curve.verdict import judge, tell_answers
from sayso.studies.trials.folder import StudyFolder, claimed
from sayso.studies.trials.run_trials import check_asked, run_trials
from sayso.studies.tuning.background import gather, materials
from sayso.studies.tuning.material import Material, check_hours
from sayso.studies.tuning.sound_store import open_store
from sayso.system.files import digest, file_digest, output_errors, read_json, write_json
from sayso.system.progress import Progress
from sayso.system.wording import counted, listed, percent, rounded

__all__ = ["BackgroundCurve", "background_curve"]

_HEARD = "heard"
_FEW_HOURS = 1.0
_NAMED = 5


@dataclass(frozen=True)
class BackgroundCurve:
    """A curve that is drawn."""

    path: Path
    table: dict[str, Any]
    """As `background-curve.json` holds it."""
    page: Path

    @property
    def answers(self) -> list[str]:
        """What the curve says, a sentence each."""
        return self.table["answers"]


@dataclass(frozen=True, eq=False)
class _Asked:
    """What every trial's model is asked."""

    made: Mapping[str, Material]
    missed: float
    hours: float

    @property
    def mark(self) -> str:
        """Tells these streams from others."""
        sounds = [
            [one.name, hashlib.sha256(np.ascontiguousarray(one.samples).data).hexdigest()]
            for material in self.made.values()
            for one in material.recordings
        ]
        rooms = [[material.rows.tolist(), material.rooms] for material in self.made.values()]
        return digest([sounds, rooms, self.missed, self.hours])


def background_curve(
    recipe: str | Path,
    *,
    background: Sequence[str | Path] = (),
    minutes: Sequence[float] = (),
    missed: float = 0.05,
    hours: float = 1.0,
    rooms: float = 0.5,
    seeds: int = 3,
    jobs: int = 2,
    on: str = "",
    threads: int = 1,
    overrides: Sequence[str] = (),
    out: str | Path = "background-curve",
    progress: Progress | None = None,
) -> BackgroundCurve:
    """Train a recipe on ever more minutes of its background, and count false alarms at a share of misses.

    Each model listens to the same made streams, as `sayso tune` makes them: thresholds that miss no more than is asked
    come from validation words and background, the alarms are counted over test words and other background.

    Args:
        recipe: a recipe file, or a folder of clips; its `rejection.recordings` are the background.
        background: to test on, in which none of the words is said and on which it is not trained; none: other words in
            synthetic voices.
        minutes: how many to train on; none: all, and what halving them four times leaves.
        missed: share of each word that may be missed, above 0 and below 1.
        hours: of streams in each part, above 0.
        rooms: as `tune` takes it.
        seeds: how many seeds, from 0; each draws other background.
        jobs: how many trials at a time on this machine.
        on: `ray` or `ray://ADDRESS`: train on a Ray cluster instead.
        threads: of each trial.
        overrides: `key=value` texts laid over the recipe.
        out: folder of the curve; what is finished there is done no more.
        progress: where to report.

    Raises:
        SaysoError: whatever of recipe, clips, background, sizes and folder does not fit; trials that failed, when all
            others are done.
    """
    progress = progress or Progress()
    _check(missed, hours, rooms)
    check_asked(seeds=seeds, jobs=jobs, threads=threads, on=on, out=Path(out))
    plan = make_plan(recipe, overrides=overrides, minutes=minutes, seeds=seeds, threads=threads, progress=progress)
    with (
        claimed(Path(out), folds=None, sources={"recipe": plan.source}, what="background curve") as folder,
        open_store() as store,
    ):
        found = gather(plan.prepared, [Path(place) for place in background], store, progress, rooms=rooms)
        made, what = materials(plan.prepared, found, rooms=rooms)
        if not all(len(material.rows) for material in made.values()):
            raise DataError("all clips of the validation or of the test part are silent; choose another split")
        run_trials(plan.different, folder, jobs=jobs, on=on, progress=progress)
        heard = _hear_all(plan, folder, _Asked(made, missed, hours), progress)
        table = _make_table(plan, heard, what, missed, found.notes)
        write_json(folder.path / "background-curve.json", table)
        page = write_background_curve(table, folder.path)
    return BackgroundCurve(folder.path, table, page)


def _check(missed: float, hours: float, rooms: float) -> None:
    faults = [
        *(
            [Fault("--missed", f"is {missed:g}, must be above 0 and below 1, such as 0.05")]
            if not 0 < missed < 1
            else []
        ),
        *check_hours(hours),
        *([Fault("--rooms", f"is {rooms:g}, must be a share from 0 to 1")] if not 0 <= rooms <= 1 else []),
    ]
    if faults:
        raise SettingsError(faults)


def _hear_all(plan: Plan, folder: StudyFolder, asked: _Asked, progress: Progress) -> dict[str, dict[str, Any]]:
    """What each trial's model did on the streams, by the trial's name; what was heard before is not heard again."""
    trials, mark = plan.different, asked.mark
    heard: dict[str, dict[str, Any]] = {}
    total = round(len(trials) * 2 * asked.hours * 3600)
    with (
        TemporaryDirectory(prefix="sayso-") as exported,
        progress.task("listening to made streams", total=total, unit="seconds") as task,
    ):

        def hear(run: RunFolder) -> dict[str, Any]:
            missed, hours = asked.missed, asked.hours
            return hear_trial(run, plan.prepared, asked.made, Path(exported), missed=missed, hours=hours, task=task)

        for trial in trials:
            run, kept = RunFolder(folder.trials / trial.name), folder.path / _HEARD / f"{trial.name}.json"
            heard[trial.name] = _look_up(kept, [mark, file_digest(run.weights)], partial(hear, run))
    return heard


def _look_up(place: Path, key: list[str], hear: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Give what was heard before under this key; else hear it, and keep it."""
    with suppress(OSError, ValueError, KeyError, TypeError):  # not there, or damaged
        kept = read_json(place)
        if kept["key"] == key:
            return kept["facts"]
    facts = hear()
    with output_errors(place):
        place.parent.mkdir(exist_ok=True)
    write_json(place, {"key": key, "facts": facts})
    return facts


def _make_table(
    plan: Plan, heard: Mapping[str, dict[str, Any]], what: str, missed: float, notes: Sequence[str]
) -> dict[str, Any]:
    """What `background-curve.json` holds."""
    by_size = [[heard[trial.name] for trial in plan.trials[size]] for size in plan.minutes]
    first = by_size[0][0]
    names = [*first["hours"]]
    alarms = np.array([[[one["alarms"].get(name, 0) for name in names] for one in row] for row in by_size], np.float64)
    hours = np.array([first["hours"][name] for name in names])
    curve = judge(plan.minutes, alarms, hours, first["independent_hours"])
    points = [
        {
            "minutes": size,
            "alarms_per_hour": rate,
            "ci95": list(limits),
            "by_seed": (alarms[place].sum(axis=1) / hours.sum()).tolist(),
            "missed": float(np.mean([one["missed"] for one in by_size[place]])),
        }
        for place, (size, rate, limits) in enumerate(zip(plan.minutes, curve.rates, curve.ci95, strict=True))
    ]
    fitted = {key: value for key, value in asdict(curve).items() if key not in ("rates", "ci95")}
    return {
        "recipe": plan.name,
        "missed": missed,
        "background": what,
        "replayed_hours": first["replayed_hours"],
        "independent_hours": first["independent_hours"],
        "sources": len(names),
        "seeds": len(by_size[0]),
        "threads": plan.different[0].threads,
        "points": points,
        **{key: _finite(value) for key, value in fitted.items()},
        "answers": list(tell_answers(curve, plan.minutes, first["independent_hours"])),
        "notes": [*_tell(by_size, first, len(by_size[0]), missed, points), *notes],
    }


def _tell(
    by_size: Sequence[Sequence[Mapping[str, Any]]],
    first: Mapping[str, Any],
    seeds: int,
    missed: float,
    points: Sequence[Mapping[str, Any]],
) -> list[str]:
    """What a reader of the curve must know."""
    told: list[str] = []
    hours = first["independent_hours"]
    if hours < _FEW_HOURS:
        told.append(
            f"{rounded(hours)} h of different background to test on tell little of how rare alarms are: intervals are "
            "wide, and an alarm more or less moves them; give more (--background)"
        )
    if seeds == 1:
        told.append("one seed: how much another draw of the background would change is not in the intervals (--seeds)")
    lost = sorted({word for row in by_size for one in row for word in one["lost"]})
    if lost:
        names = listed([f"'{word}'" for word in lost], _NAMED)
        told.append(
            f"no threshold misses {percent(missed)} or fewer of {names} with some models: the one that misses least is "
            "taken there, so that their alarms count at other misses"
        )
    most = max(point["missed"] for point in points)
    if most > 2 * missed:
        told.append(
            f"up to {percent(most)} of the test words are missed at thresholds "
            f"{'chosen on the' if lost else f'that missed {percent(missed)} of the'} validation words"
        )
    told.append(f"{counted(seeds, 'seed')}; every model listened to the same streams")
    return told


def _finite(value: Any) -> Any:
    """The same with null for infinite, which JSON cannot write."""
    if isinstance(value, (list, tuple)):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and math.isinf(value) else value
