"""What `sayso verify` finds: nothing in a sound run, and every forgery by its name."""

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import soundfile

from conftest import write_tones
from runs_made import small_recipe, small_run
from sayso.data.splits.settings import SplitSettings
from sayso.errors import RunError
from sayso.experiment.train import train
from sayso.studies.verification.verify import verify


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """A finished run and its clips, in a cache of their own."""
    root = tmp_path_factory.mktemp("sound")
    folder = write_tones(root / "tones")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SAYSO_CACHE", str(root / "cache"))
        run = small_run(folder, root / "run")
        other = small_run(folder, root / "other", seed=1)
    return run.path, other.path, folder


def verdicts(path: Path) -> dict[str, bool | None]:
    return {check.name: check.holds for check in verify(path)}


NAMES = (
    "recipe", "manifest", "clips", "split", "leakage",
    "predictions", "scores", "weights", "metrics", "export", "stream",
)  # fmt: skip


def test_a_sound_run_holds(sound, program):
    run, _, _ = sound
    assert verdicts(run) == dict.fromkeys(NAMES, True)
    code, out, _ = program("verify", run)
    assert code == 0
    assert [line.split()[1] for line in out.splitlines()] == ["holds"] * len(NAMES)


def forged(change: Callable[[dict[str, Any]], object], file: str = "metrics.json") -> Callable[[Path, Path], None]:
    def forge(run: Path, other: Path) -> None:
        values = json.loads((run / file).read_text())
        change(values)
        (run / file).write_text(json.dumps(values))

    return forge


def changed_label(run: Path, other: Path) -> None:
    lines = (run / "predictions.csv").read_text().splitlines()
    cells = lines[1].split(",")
    cells[3] = next(name for name in ("high", "low") if name != cells[3])
    (run / "predictions.csv").write_text("\n".join([lines[0], ",".join(cells), *lines[2:]]) + "\n")


def changed_probability(run: Path, other: Path) -> None:
    lines = (run / "predictions.csv").read_text().splitlines()
    cells = lines[1].split(",")
    cells[5:] = [str(share) for share in (0.5, 0.3, 0.2)]
    (run / "predictions.csv").write_text("\n".join([lines[0], ",".join(cells), *lines[2:]]) + "\n")


def left_out_clip(run: Path, other: Path) -> None:
    lines = (run / "predictions.csv").read_text().splitlines()
    (run / "predictions.csv").write_text("\n".join(lines[:-1]) + "\n")


def no_number(run: Path, other: Path) -> None:
    text = (run / "predictions.csv").read_text()
    (run / "predictions.csv").write_text(text.rsplit(",", 1)[0] + ",nan\n")


def only_a_header(run: Path, other: Path) -> None:
    (run / "predictions.csv").write_text((run / "predictions.csv").read_text().splitlines()[0] + "\n")


def other_columns(run: Path, other: Path) -> None:
    (run / "predictions.csv").write_text("clip\nsome.wav\n")


def no_predictions(run: Path, other: Path) -> None:
    (run / "predictions.csv").unlink()


def cut_recipe(run: Path, other: Path) -> None:
    """Its last section is lost, and it is a recipe still."""
    text = (run / "recipe.yaml").read_text()
    assert text.count("\nstream:") == 1
    (run / "recipe.yaml").write_text(text.partition("\nstream:")[0] + "\n")


def no_recipe_in_it(run: Path, other: Path) -> None:
    (run / "recipe.yaml").write_text("dataset: [")


def swapped_weights(run: Path, other: Path) -> None:
    shutil.copy(other / "model.safetensors", run / "model.safetensors")


def swapped_export(run: Path, other: Path) -> None:
    shutil.copy(other / "model.onnx", run / "model.onnx")


def no_export(run: Path, other: Path) -> None:
    (run / "model.onnx").unlink()


def said(key: str, change: Callable[[str], str]) -> Callable[[Path, Path], None]:
    """Change what `model.onnx` says of itself."""

    def forge(run: Path, other: Path) -> None:
        model = onnx.load(run / "model.onnx")
        entry = next(each for each in model.metadata_props if each.key == key)
        assert change(entry.value) != entry.value
        entry.value = change(entry.value)
        onnx.save(model, run / "model.onnx")

    return forge


def odd_card(run: Path, other: Path) -> None:
    (run / "MODEL_CARD.md").write_bytes((run / "MODEL_CARD.md").read_bytes() + b"\xff")


def cut_log(run: Path, other: Path) -> None:
    lines = (run / "log.csv").read_text().splitlines(keepends=True)
    (run / "log.csv").write_text("".join(lines[:-2]))


@pytest.mark.parametrize(
    ("forge", "failing"),
    [
        (forged(lambda m: m.update(seed=9), "manifest.json"), {"manifest"}),
        (forged(lambda m: m.update(threads=9), "manifest.json"), {"manifest"}),
        (forged(lambda m: m.update(epochs=9), "manifest.json"), {"manifest"}),
        (forged(lambda m: m.update(best_epoch=9), "manifest.json"), {"manifest"}),
        (forged(lambda m: m.pop("data_hash"), "manifest.json"), {"clips"}),
        (forged(lambda m: m.update(other_sounds=3), "manifest.json"), {"clips"}),
        (forged(lambda m: m["export"].update(stream=True), "manifest.json"), {"stream"}),
        (forged(lambda m: m.update(tuned=5, export=5), "manifest.json"), {"manifest"}),
        (forged(lambda m: m.update(tuned={"thresholds": 3}), "manifest.json"), {"export"}),
        (odd_card, {"export"}),
        (cut_log, {"manifest"}),
        (said("threshold", lambda text: "0.9"), {"export"}),
        (said("temperature", lambda text: "3.0"), {"export"}),
        (said("stream", lambda text: text.replace('"smoothing": ', '"smoothing": 1')), {"export"}),
        (said("recipe", lambda text: text.replace("epochs: 2", "epochs: 9")), {"export"}),
        (said("card", lambda text: f"{text}Never wrong.\n"), {"export"}),
        (forged(lambda m: m["test"].update(accuracy=m["test"]["accuracy"] - 0.01)), {"scores", "metrics"}),
        (forged(lambda m: next(iter(m["test"]["per_speaker"].values())).update(n=99)), {"scores", "metrics"}),
        (forged(lambda m: m.update(test={})), {"scores", "metrics"}),
        (forged(lambda m: m["test"].pop("accuracy")), {"scores", "metrics"}),
        (forged(lambda m: m["calibration"].update(test_ece_after=0.0)), {"scores", "metrics"}),
        (forged(lambda m: m["calibration"].update(temperature=3.0)), {"scores", "metrics"}),
        (forged(lambda m: m["validation"].update(accuracy=2.0)), {"metrics"}),
        (forged(lambda m: m.update(parameters=1)), {"metrics"}),
        (forged(lambda m: m.update(parameters=m["parameters"] + 1)), {"metrics"}),
        (forged(lambda m: m.update(rejection={"auroc": 1.0})), {"metrics"}),
        (forged(lambda m: m.update(split="official")), {"split"}),
        (forged(lambda m: m.update(unheard=1)), {"metrics"}),
        (forged(lambda m: m.update(speakers_shared=9), "manifest.json"), {"split"}),
        (forged(lambda m: m["clips"].update(train=1), "manifest.json"), {"split"}),
        (forged(lambda m: m["leakage"].update(shared_speakers=9), "manifest.json"), {"leakage"}),
        (changed_label, {"predictions", "scores"}),
        (no_number, {"predictions"}),
        (only_a_header, {"predictions"}),
        (other_columns, {"predictions"}),
        (changed_probability, {"scores", "weights", "export"}),
        (left_out_clip, {"predictions", "scores", "weights", "export"}),
        (no_predictions, {"predictions"}),
        (swapped_weights, {"recipe", "weights", "metrics", "export"}),
        (cut_recipe, {"recipe"}),
        (no_recipe_in_it, {"recipe"}),
        (swapped_export, {"export"}),
        (no_export, {"export", "stream"}),
    ],
)
def test_every_forgery_is_named(
    sound, tmp_path, program, forge: Callable[[Path, Path], None], failing: set[str]
) -> None:
    run, other, _ = sound
    copy = tmp_path / "run"
    shutil.copytree(run, copy)
    forge(copy, other)
    assert {name for name, holds in verdicts(copy).items() if holds is False} == failing
    assert program("verify", copy, "--json")[0] == 1


@pytest.fixture
def elsewhere(sound, tmp_path):
    """A copy of the clips, and of the run with a recipe that names them."""
    run, _, folder = sound
    moved, copy = tmp_path / "tones", tmp_path / "run"
    shutil.copytree(folder, moved)
    shutil.copytree(run, copy)
    recipe = copy / "recipe.yaml"
    recipe.write_text(recipe.read_text().replace(str(folder), str(moved)))
    return moved, copy


def test_nothing_is_taken_from_the_cache_on_trust(elsewhere):
    moved, copy = elsewhere
    assert verdicts(copy) == dict.fromkeys(NAMES, True)
    clip = next(moved.rglob("*.wav"))
    before, whole = clip.stat(), clip.read_bytes()
    clip.write_bytes(whole[:-1000] + bytes(1000))
    os.utime(clip, ns=(before.st_atime_ns, before.st_mtime_ns))
    found = {check.name: check for check in verify(copy)}
    assert found["clips"].holds is False
    assert "1 recording of" in found["clips"].detail
    assert clip.name in found["clips"].detail
    assert found["weights"].holds is None


def test_a_run_without_an_export_holds(sound, tmp_path):
    run = train(small_recipe(sound[2]), out=tmp_path / "run", extras=False)
    assert verdicts(run.path) == dict.fromkeys(NAMES, True)


def test_relabelled_clips_are_counted(sound, tmp_path):
    recipe = small_recipe(sound[2])
    first, second = sorted(folder.name for folder in sound[2].iterdir())[:2]
    marks = tmp_path / "marks.csv"
    clips = sorted((sound[2] / first).glob("*.wav"))[:2]
    marks.write_text("\n".join(["clip,label", *(f"{clip},{second}" for clip in clips)]))
    recipe = replace(recipe, dataset=replace(recipe.dataset, relabel=str(marks)))
    run = train(recipe, out=tmp_path / "run", extras=False)
    counts = run.manifest()["relabelled"]
    assert sum(counts.values()) == len(clips)
    assert f"2 clips relabelled by {marks}" in run.manifest()["notes"]
    found = {check.name: check for check in verify(run.path)}
    assert {name: check.holds for name, check in found.items()} == dict.fromkeys((*NAMES, "relabelled"), True)
    assert f"2 clips have another word than the source's, {counts['test']} of them" in found["relabelled"].detail
    forged(lambda m: m.pop("relabelled"), "manifest.json")(run.path, run.path)
    assert [name for name, holds in verdicts(run.path).items() if not holds] == ["relabelled"]


def test_a_name_that_is_no_text_holds(sound, tmp_path):
    folder = tmp_path / "tones"
    shutil.copytree(sound[2], folder)
    for clip in list(folder.rglob("*_0.wav")):
        clip.rename(clip.with_name(f"{clip.stem}\udcff\r.wav"))
    run = small_run(folder, tmp_path / "run")
    assert verdicts(run.path) == dict.fromkeys(NAMES, True)


def test_a_speaker_whose_name_is_no_text_holds(tmp_path):
    """By each speaker's own temperature; the names stand in CSV, JSON and page in one spelling."""
    folder = write_tones(tmp_path / "tones", speakers=("ann", "ben", "cyn"))
    for clip in list(folder.rglob("*.wav")):
        own = clip.parent / clip.stem.partition("_")[0].replace("ann", "ann\udce9")
        own.mkdir(exist_ok=True)
        clip.rename(own / clip.name)
    made = small_recipe(folder)
    dataset = replace(made.dataset, speaker="folder", speaker_pattern="")
    recipe = replace(made, dataset=dataset, split=SplitSettings(by="each_speaker"), augment=())
    run = train(recipe, out=tmp_path / "run", extras=False)
    assert {*run.metrics()["calibration"]["temperature_by_speaker"]} == {r"ann\udce9", "ben", "cyn"}
    assert verdicts(run.path) == dict.fromkeys(NAMES, True)


def test_metrics_that_are_none_are_refused(sound, tmp_path):
    copy = tmp_path / "run"
    shutil.copytree(sound[0], copy)
    forged(lambda m: m.update(test=[]))(copy, copy)
    with pytest.raises(RunError, match=r"metrics.json: damaged"):
        verify(copy)


def test_changed_and_missing_clips_are_told(elsewhere, program):
    moved, copy = elsewhere
    assert verdicts(copy) == dict.fromkeys(NAMES, True)
    clip = next(moved.rglob("*.wav"))
    samples, rate = soundfile.read(clip, dtype="int16")
    soundfile.write(clip, samples // 2, rate)
    found = verdicts(copy)
    assert (found["clips"], found["split"], found["scores"], found["weights"]) == (False, True, True, None)
    clip.unlink()
    found = verdicts(copy)
    assert (found["clips"], found["split"], found["scores"]) == (False, False, True)
    shutil.rmtree(moved)
    found = verdicts(copy)
    assert (found["clips"], found["split"], found["scores"], found["export"]) == (None, None, True, None)
    assert program("verify", copy)[0] == 1


def test_other_noise_than_that_of_the_training_is_told(elsewhere):
    moved, copy = elsewhere
    noise = moved / "_background_noise_"

    def clips():
        return next(check for check in verify(copy) if check.name == "clips")

    assert clips().detail.startswith("36 clips, decoded anew: the same samples")
    noise.mkdir()
    soundfile.write(noise / "hum.wav", np.full(8000, 0.1, np.float32), 8000)
    found = clips()
    assert (found.holds, found.detail) == (False, "the background noise here is not that of the training")


def test_an_unfinished_run_and_no_run_are_refused(sound, tmp_path):
    run, _, _ = sound
    copy = tmp_path / "run"
    shutil.copytree(run, copy)
    forged(lambda manifest: manifest.pop("finished"), "manifest.json")(copy, copy)
    with pytest.raises(RunError, match=r"has not finished.*--resume"):
        verify(copy)
    (copy / "manifest.json").unlink()
    with pytest.raises(RunError, match=r"has no manifest\.json, which its training left there; bring it back"):
        verify(copy)
    with pytest.raises(RunError, match="no run there"):
        verify(tmp_path / "nowhere")
