"""Run folders: what a training leaves, found, read and removed without loading a model."""

import shutil
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from sayso.errors import InterruptedRunError, LostProcessError, OutputError, RunError, in_one_line
from sayso.runs.manifest import Manifest, read_manifest, split_label
from sayso.runs.metrics import Metrics, read_metrics
from sayso.runs.predictions import Predictions, read_predictions
from sayso.system.claims import free_folder, own_folder
from sayso.system.files import folder_name, is_text, output_errors
from sayso.system.wording import in_shell, listed

__all__ = [
    "RunFolder",
    "list_runs",
    "new_folder",
    "new_run_folder",
    "remove_run",
]

_FOLDS, _ROUNDS, _TEACHER = "folds", "rounds", "teacher"
_SHOWN_RUNS = 3
# What a run may have in its folder before its first epoch has ended.
_WRITTEN_FIRST = (
    *("recipe.yaml", "manifest.json", "model.safetensors", _FOLDS, _ROUNDS, _TEACHER),
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
    def stream_onnx(self) -> Path:
        """The exported model's form for streams; not there where it must see the whole clip at once."""
        return self.path / "stream.onnx"

    @property
    def card(self) -> Path:
        """What a reader must know of the model."""
        return self.path / "MODEL_CARD.md"

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

    def round(self, place: int) -> "RunFolder":
        """The training of one round before the last, while the run is unfinished."""
        return RunFolder(self.path / _ROUNDS / str(place))

    @property
    def teacher(self) -> "RunFolder":
        """The run that was trained first to teach this one, where its recipe names a recipe for that."""
        return RunFolder(self.path / _TEACHER)

    def forget_rounds(self) -> None:
        """Remove them; they have done their work."""
        shutil.rmtree(self.path / _ROUNDS, ignore_errors=True)

    @property
    def resume(self) -> Path:
        """The state of an unfinished training."""
        return self.path / "resume.ckpt"

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
        return self.manifest_file.is_file() and bool(read_manifest(self.manifest_file, strictly=False).get("finished"))

    def check_finished(self, why: str = "") -> None:
        """See that the run went to its end.

        Args:
            why: what cannot be done before, with what stands before it.

        Raises:
            RunError: it did not, and how it goes on; or it lost its manifest since, or that is damaged.
        """
        if not self.finished:
            self.manifest()  # tells where it is lost or damaged
            raise RunError(f"{self.path}: has not finished{why}; sayso train --resume {in_shell(self.path)}")

    @property
    def manifest_file(self) -> Path:
        """What made the run."""
        return self.path / "manifest.json"

    @property
    def metrics_file(self) -> Path:
        """What it scored."""
        return self.path / "metrics.json"

    @property
    def predictions_file(self) -> Path:
        """Every test clip with its probabilities."""
        return self.path / "predictions.csv"

    @classmethod
    def open(cls: type[R], path: str | Path) -> R:
        """Open a run's folder.

        Raises:
            RunError: there is none; runs nearby are named.
        """
        run = cls(Path(path))
        if not run.recipe.is_file():
            near = [str(other.path) for other in list_runs(run.path.parent)]
            shown = listed(near, _SHOWN_RUNS, count_rest=True)
            hint = f"there {'are' if len(near) > 1 else 'is'} {shown}" if near else "train one with `sayso train`"
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

    def predictions(self) -> Predictions:
        """Every answer to a test clip, a table that notebooks show. Raises as `metrics`."""
        return read_predictions(self.predictions_file)

    def split_label(self) -> str:
        """What stands beside its score: the split, and whether its speakers were heard in training."""
        return split_label(self.manifest(), self.metrics()["test"].get("speakers"))


@contextmanager
def new_folder(root: str, name: str, out: Path | None) -> Generator[Path]:
    """Make a folder for something new, `out` itself or else `<root>/<name>-<time>`, and keep others out of it.

    What of the name no folder may be called, or no model may be written under, is spelt otherwise.

    It is claimed by being made: of two commands with one name and second each gets its own folder, of two with one
    `out` the later is told. Left empty, it is removed.

    Raises:
        RunError: the folder is another command's, or exists and is not empty; nothing in it is touched.
        OutputError: it cannot be made, or models cannot be written under its name.
    """
    if out and not is_text(out):
        raise OutputError(f"cannot write {out}: models are not written where a name is no UTF-8; choose another folder")
    default = Path(root) / f"{folder_name(in_one_line(name))}-{time.strftime('%Y%m%d-%H%M%S')}"
    with own_folder(out) if out else free_folder(default) as path:
        yield path


@contextmanager
def new_run_folder(name: str, out: Path | None) -> Generator[RunFolder]:
    """Make the folder of a new run, as `new_folder` does below `runs`.

    When the block fails before an epoch is finished, its teacher's too, what a run has written by then is removed, and
    its `out` can be used again. After an epoch, or when a person stopped it or another process of it died, the run
    stays to be resumed; files and folders that a run does not make always stay.
    """
    with new_folder("runs", name, out) as path:
        run = RunFolder(path)
        try:
            yield run
        except (InterruptedRunError, LostProcessError):
            raise
        except Exception as error:
            begun = run.log.exists()
            if not begun and not run.teacher.log.exists():
                _take_back(run)
            if begun and isinstance(error, OutputError):
                raise OutputError(f"{error}. Go on with: sayso train --resume {in_shell(run.path)}") from error
            raise


def _take_back(run: RunFolder) -> None:
    with suppress(OSError):  # the error itself is what a person must read
        for entry in {run.path / name for name in _WRITTEN_FIRST} & set(run.path.iterdir()):
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()


def list_runs(root: Path) -> list[RunFolder]:
    """Every run below `root`, oldest first."""
    if not root.is_dir():
        return []
    found = [RunFolder(file.parent) for file in root.glob("*/recipe.yaml")]
    return sorted(found, key=lambda run: (run.recipe.stat().st_mtime, run.path))


def remove_run(run: RunFolder) -> None:
    """Remove a run's folder with all that is in it."""
    with output_errors(run.path):
        shutil.rmtree(run.path.absolute())  # "." would be emptied, and then refused
