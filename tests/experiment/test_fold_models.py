"""Models that left out one speaker each judge what is made of the run's own."""

from dataclasses import replace

import numpy as np
import pytest

from conftest import write_tones
from runs_made import small_recipe
from sayso.audio import to_float
from sayso.data.splits import SplitSettings
from sayso.experiment.each_speaker import answer_for_each_speaker
from sayso.experiment.fold_models import exported_folds
from sayso.experiment.run import Run
from sayso.experiment.train import train
from sayso.metrics.probabilities import softmax
from sayso.runtime import Recognizer
from sayso.system.progress import Progress


@pytest.mark.slow
def test_int8_is_judged_by_models_that_never_heard_a_speaker(tmp_path, program, monkeypatch):
    monkeypatch.setenv("SAYSO_CACHE", str(tmp_path / "cache"))
    folder = write_tones(tmp_path / "tones", speakers=("ann", "bob", "cas"), clips=6)
    recipe = small_recipe(folder, epochs=12, learning_rate=2e-2, keep="last")
    run = train(replace(recipe, split=SplitSettings(by="each_speaker"), augment=()), out=tmp_path / "run")
    prepared = Run.open(run.path).open_clips(Progress())
    expected = answer_for_each_speaker(prepared, run)
    place = {row: number for number, row in enumerate(prepared.split.test.tolist())}
    with exported_folds(run, prepared) as folds:
        assert len(folds) == 3
        for (path, split), temperature in zip(folds.items(), expected.temperatures.values(), strict=True):
            heard = {prepared.corpus.clips[row].speaker for row in split.train}
            assert heard.isdisjoint({prepared.corpus.clips[row].speaker for row in split.test})
            logits = Recognizer(path).logits(to_float(np.array(prepared.corpus.samples[split.test])))
            answers = expected.probabilities[[place[row] for row in split.test.tolist()]]
            np.testing.assert_allclose(softmax(logits / temperature), answers, atol=1e-4)
    assert not any(path.exists() for path in folds)
    code, out, err = program("export", run.path, "--int8", "--slower", "--points-lost", 100)
    assert code == 0, err
    assert "of 54 clips right" in next(line for line in out.splitlines() if line.startswith("left out "))
    assert "validation" not in out
    assert "by a model that never heard them, 54 clips" in program("card", run.path / "int8")[1]
