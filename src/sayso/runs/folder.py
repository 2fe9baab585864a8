"""Run folders: what a training leaves, found, read and removed without loading a model."""

import json
import shutil
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sayso.errors import InterruptedRunError, LostProcessError, RunError
from sayso.system.files import find_free_path, output_errors

__all__ = [
    "RunFolder",
    "list_runs",
    "new_run_folder",
    "open_run",
    "remove_run",
    "taken_back_if_unstarted",
]

# What a run may have in its folder before its first epoch has ended.
_WRITTEN_FIRST = ("recipe.yaml", "manifest.json", "model.safetensors", "tensorboard", "mlflow", "tracking.json")


@dataclass(frozen=True)
class RunFolder:
    """One run's folder and the names of the files in it."""

    path: Path

    @property
    def recipe(self) -> Path:
        """The resolved recipe."""
        return self.path / "recipe.yaml"

    @property
    def log(self) -> Path:
        """Loss and accuracy by epoch and set."""
        return self.path / "log.csv"

    @property
    def weights(self) -> Path:
        """The best weights so far, with recipe and labels."""
        return self.path / "model.safetensors"

    @property
    def onnx(self) -> Path:
        """The exported model."""
        return self.path / "model.onnx"

    @property
    def resume(self) -> Path:
        """The state of an unfinished training."""
        return self.path / "resume.ckpt"

    @property
    def predictions(self) -> Path:
        """Every test clip with its probabilities."""
        return self.path / "predictions.csv"

    @property
    def report(self) -> Path:
        """The page to open."""
        return self.path / "report.html"

    @property
    def figures(self) -> Path:
        """Folder of pictures."""
        return self.path / "figures"

    @property
    def finished(self) -> bool:
        """Whether the run went to its end; its manifest says so, written last."""
        return (self.path / "manifest.json").is_file() and bool(self.manifest().get("finished"))

    def metrics(self) -> dict[str, Any]:
        """The scores of `metrics.json`.

        Raises:
            RunError: the run has not finished, or the file is damaged.
        """
        return self._json("metrics.json")

    def manifest(self) -> dict[str, Any]:
        """What made the run: hashes, seed, versions, machine, duration. Raises as `metrics`."""
        return self._json("manifest.json")

    def _json(self, name: str) -> dict[str, Any]:
        try:
            values = json.loads((self.path / name).read_text(encoding="utf-8"))
            if not isinstance(values, dict) or (name == "metrics.json" and not isinstance(values.get("test"), dict)):
                raise ValueError("not what a run leaves")
        except FileNotFoundError as error:
            raise RunError(
                f"{self.path}: has no {name}, the run has not finished; go on with `sayso train --resume {self.path}`"
            ) from error
        except ValueError as error:  # no JSON, no text, or none of ours
            raise RunError(f"{self.path / name}: damaged; train again, or remove the run") from error
        return values


def open_run(path: Path) -> RunFolder:
    """Open a run's folder.

    Raises:
        RunError: there is none; runs nearby are named.
    """
    run = RunFolder(path)
    if not run.recipe.is_file():
        near = [str(other.path) for other in list_runs(path.parent)][:3]
        hint = f"there are {', '.join(near)}" if near else "train one with `sayso train`"
        raise RunError(f"{path}: no run there (it has no recipe.yaml); {hint}")
    return run


def new_run_folder(name: str, out: Path | None) -> RunFolder:
    """Choose the folder of a new run, `out` itself or else `runs/<name>-<time>`; it is made when first written to.

    Raises:
        RunError: the folder exists and is not empty; nothing in it is touched.
    """
    path = out or find_free_path(Path("runs") / f"{name}-{time.strftime('%Y%m%d-%H%M%S')}")
    if path.is_dir() and any(path.iterdir()):
        raise RunError(f"{path}: exists and is not empty, nothing was changed; choose another --out or remove it first")
    if path.exists() and not path.is_dir():
        raise RunError(f"{path}: is a file, nothing was changed; choose another --out")
    return RunFolder(path)


@contextmanager
def taken_back_if_unstarted(run: RunFolder) -> Generator[None]:
    """Remove what the block writes into a new run's folder when it fails before an epoch is finished.

    Its `--out` can be used again then. After an epoch, or when a person stopped it or another process of it died, the
    run stays to be resumed; files and folders that a run does not make always stay.
    """
    made = [folder for folder in (run.path, *run.path.parents) if not folder.exists()]
    before = set(run.path.iterdir()) if run.path.is_dir() else set[Path]()
    try:
        yield
    except (InterruptedRunError, LostProcessError):
        raise
    except Exception:
        if not run.log.exists():
            with suppress(OSError):  # the error itself is what a person must read
                for entry in {run.path / name for name in _WRITTEN_FIRST} & set(run.path.iterdir()) - before:
                    shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
                for folder in made:
                    folder.rmdir()
        raise


def list_runs(root: Path) -> list[RunFolder]:
    """Every run below `root`, oldest first."""
    if not root.is_dir():
        return []
    found = [RunFolder(file.parent) for file in root.glob("*/recipe.yaml")]
    return sorted(found, key=lambda run: (run.recipe.stat().st_mtime, run.path))


def remove_run(run: RunFolder) -> None:
    """Remove a run's folder with all that is in it."""
    with output_errors(run.path):
        shutil.rmtree(run.path)
