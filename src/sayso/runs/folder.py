"""Run folders: what a training leaves, found, read and removed without loading a model."""

import shutil
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from sayso.errors import InterruptedRunError, LostProcessError, RunError
from sayso.runs.manifest import Manifest, read_manifest, split_label
from sayso.runs.metrics import Metrics, read_metrics
from sayso.system.files import find_free_path, output_errors

__all__ = [
    "RunFolder",
    "list_runs",
    "new_folder",
    "new_run_folder",
    "remove_run",
    "taken_back_if_unstarted",
]

_FOLDS = "folds"
# What a run may have in its folder before its first epoch has ended.
_WRITTEN_FIRST = (
    *("recipe.yaml", "manifest.json", "model.safetensors", _FOLDS),
    *("tensorboard", "mlflow", "tracking.json"),
)


R = TypeVar("R", bound="RunFolder")


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
    def kept_features(self) -> Path:
        """Features of its clips, for more words to be learned; only of a frozen, pretrained representation."""
        return self.path / "features.safetensors"

    def fold(self, place: int) -> "RunFolder":
        """The training that leaves out one speaker, by their names' order; of a finished run its weights alone."""
        return RunFolder(self.path / _FOLDS / str(place))

    @property
    def folds(self) -> list["RunFolder"]:
        """All that are there."""
        return [RunFolder(path) for path in sorted((self.path / _FOLDS).glob("*"))]

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
        return self.manifest_file.is_file() and bool(self.manifest().get("finished"))

    @property
    def manifest_file(self) -> Path:
        """What made the run."""
        return self.path / "manifest.json"

    @property
    def metrics_file(self) -> Path:
        """What it scored."""
        return self.path / "metrics.json"

    @classmethod
    def open(cls: type[R], path: str | Path) -> R:
        """Open a run's folder.

        Raises:
            RunError: there is none; runs nearby are named.
        """
        run = cls(Path(path))
        if not run.recipe.is_file():
            near = [str(other.path) for other in list_runs(run.path.parent)][:3]
            hint = f"there are {', '.join(near)}" if near else "train one with `sayso train`"
            raise RunError(f"{path}: no run there (it has no recipe.yaml); {hint}")
        return run

    def metrics(self) -> Metrics:
        """The scores of `metrics.json`.

        Raises:
            RunError: the run has not finished, or the file is damaged.
        """
        return read_metrics(self.metrics_file)

    def manifest(self) -> Manifest:
        """What made the run: hashes, seed, versions, machine, duration. Raises as `metrics`."""
        return read_manifest(self.manifest_file)

    def split_label(self) -> str:
        """What stands beside its score: the split, and whether its speakers were heard in training."""
        return split_label(self.manifest(), self.metrics()["test"].get("speakers"))


def new_folder(root: str, name: str, out: Path | None) -> Path:
    """Choose a folder for something new, `out` itself or else `<root>/<name>-<time>`; it is made when first written to.

    Raises:
        RunError: the folder exists and is not empty; nothing in it is touched.
    """
    path = out or find_free_path(Path(root) / f"{name}-{time.strftime('%Y%m%d-%H%M%S')}")
    if path.is_dir() and any(path.iterdir()):
        raise RunError(f"{path}: exists and is not empty, nothing was changed; choose another --out or remove it first")
    if path.exists() and not path.is_dir():
        raise RunError(f"{path}: is a file, nothing was changed; choose another --out")
    return path


def new_run_folder(name: str, out: Path | None) -> RunFolder:
    """Choose the folder of a new run, as `new_folder` does below `runs`."""
    return RunFolder(new_folder("runs", name, out))


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
