"""Small recipes that tests compare: tones by word and speaker, trained in a fraction of a second each."""

from pathlib import Path
from typing import ClassVar

from runs_made import small_recipe
from sayso.errors import SaysoError
from sayso.recipe.recipe import recipe_yaml
from sayso.studies.executors.job import Outcome, do_job

__all__ = ["InThisProcess", "outcome_of", "write_recipes"]


class InThisProcess:
    """Stands in for `LocalProcesses`, since starting processes takes longer than these trainings; keeps account."""

    trained: ClassVar[list[str]] = []

    def __init__(self, processes, *, lock, log):
        pass

    def run(self, jobs, folder):
        """Do one job after the other, right here."""
        for job in jobs:
            self.trained.append(job.name)
            try:
                do_job(job, folder / job.name)
                yield Outcome(job)
            except SaysoError as error:
                yield Outcome(job, str(error))


def write_recipes(folder: Path, tones: Path, *, epochs: int = 1) -> list[Path]:
    """Write two recipes of the same clips that differ in their network."""
    folder.mkdir(parents=True, exist_ok=True)
    text = recipe_yaml(small_recipe(tones, epochs=epochs))
    narrow = text.replace("channels: [4, 6, 8]", "channels: [2, 3, 4]")
    paths = [folder / "wide.yaml", folder / "narrow.yaml"]
    for path, content in zip(paths, (text, narrow), strict=True):
        path.write_text(content, encoding="utf-8")
    return paths


def outcome_of(out: Path) -> dict[str, bytes]:
    """What must be the same however a comparison came to its end: weights, answers, and tables without times."""
    kept = {
        str(path.relative_to(out)): path.read_bytes()
        for path in sorted(out.glob("trials/*/*"))
        if path.name in ("model.safetensors", "predictions.csv", "recipe.yaml")
    }
    return kept | {name: (out / name).read_bytes() for name in ("pairs.csv", "speakers.csv")}
