"""A state is gone on from by its own training alone, and read from the disk once."""

import numpy as np
import pytest
import soundfile

from runs_made import small_prepared
from sayso.classifier.checkpoint import load_state, save_state
from sayso.errors import ModelError, RunError
from sayso.runs.folder import RunFolder
from sayso.training import fit
from sayso.training import resume as state


def fitted(folder, out, **keys):
    return fit(small_prepared(folder, **keys), RunFolder(out))


def test_a_state_of_another_recipe_is_refused_and_nothing_is_touched(tone_folder, tmp_path):
    fitted(tone_folder, tmp_path / "one", epochs=1)
    fitted(tone_folder, tmp_path / "other", epochs=1, learning_rate=0.01)
    copied = tmp_path / "one" / "resume.ckpt"
    copied.write_bytes((tmp_path / "other" / "resume.ckpt").read_bytes())
    before = {path: path.read_bytes() for path in (tmp_path / "one").iterdir()}
    with pytest.raises(RunError, match=r"learning_rate is 0\.01 there and 0\.005 in this run"):
        fitted(tone_folder, tmp_path / "one", epochs=1)
    assert before == {path: path.read_bytes() for path in (tmp_path / "one").iterdir()}


def test_a_state_of_other_clips_is_refused(tone_folder, tmp_path):
    fitted(tone_folder, tmp_path / "run", epochs=1)
    next(tone_folder.rglob("ann_0.wav")).unlink()
    with pytest.raises(RunError, match=r"clips is .* there"):
        fitted(tone_folder, tmp_path / "run", epochs=1)


def test_a_state_of_other_noise_is_refused(tone_folder, tmp_path):
    noise = tone_folder / "_background_noise_"
    noise.mkdir()
    soundfile.write(noise / "hum.wav", np.full(16_000, 0.1), 16_000)
    fitted(tone_folder, tmp_path / "run", epochs=1)
    soundfile.write(noise / "hum.wav", np.full(16_000, 0.2), 16_000)
    with pytest.raises(RunError, match=r"noise is .* there"):
        fitted(tone_folder, tmp_path / "run", epochs=1)
    path = tmp_path / "run" / "resume.ckpt"
    saved = load_state(path)
    del state.read_books(saved)["identity"]["noise"]  # as an earlier Sayso wrote it
    save_state(path, saved)
    assert fitted(tone_folder, tmp_path / "run", epochs=1).epochs == 1


def test_states_without_books_are_refused(tone_folder, tmp_path):
    fitted(tone_folder, tmp_path / "run", epochs=1)
    path = tmp_path / "run" / "resume.ckpt"
    for content in ({"a": 1}, load_state(path) | {"callbacks": {}}):
        save_state(path, content)
        with pytest.raises(ModelError, match="is no state of a training"):
            fitted(tone_folder, tmp_path / "run", epochs=1)


def test_a_run_goes_on_without_its_tracker(tone_folder, tmp_path):
    pytest.importorskip("tensorboard")
    fitted(tone_folder, tmp_path / "run", epochs=1, track="tensorboard")
    assert fitted(tone_folder, tmp_path / "run", epochs=1).epochs == 1


def test_a_state_is_read_once(tone_folder, tmp_path, monkeypatch):
    fitted(tone_folder, tmp_path / "run", epochs=1)
    path = tmp_path / "run" / "resume.ckpt"
    reads = []
    real = state.load_state
    monkeypatch.setattr(state, "load_state", lambda path: reads.append(path) or real(path))
    assert fitted(tone_folder, tmp_path / "run", epochs=1).epochs == 1
    assert reads == [path]
