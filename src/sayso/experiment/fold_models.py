"""The models that left out one speaker each, exported for a while: what the run's own model is judged by."""

import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from sayso.classifier.checkpoint import load_model
from sayso.classifier.export import export
from sayso.data.splits import Split
from sayso.data.splits.settings import EACH_SPEAKER
from sayso.recipe.prepared import Prepared
from sayso.runs.folder import RunFolder

__all__ = ["exported_folds"]

_COMPARED = 4


@contextmanager
def exported_folds(run: RunFolder, prepared: Prepared) -> Generator[Mapping[Path, Split]]:
    """Give, for as long as the block runs, each such model as an ONNX file, with the clips that trained and test it.

    Args:
        run: the run's folder.
        prepared: its clips; empty is given where their speakers were not left out in turn.

    Raises:
        ModelError: the weights of one are not in the run's folder, or damaged.
    """
    if prepared.split.kind != EACH_SPEAKER:
        yield {}
        return
    with tempfile.TemporaryDirectory(prefix="sayso-folds-") as folder:
        folds: dict[Path, Split] = {}
        for place, name in enumerate(prepared.test_speakers):
            split, path = prepared.without_speaker(name).split, Path(folder) / f"{place}.onnx"
            clips = np.array(prepared.corpus.samples[split.test[:_COMPARED]])
            export(load_model(run.fold(place).weights), path, clips, like=run.onnx)
            folds[path] = split
        yield folds
