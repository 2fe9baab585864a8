"""What the test part shares with the training: refused, allowed by name, or noted beside the score."""

import json
import re
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from test_near_copies import noisy, word

from conftest import one_line
from sayso.audio import AudioFormat
from sayso.data.clips import Clip
from sayso.data.corpus import Corpus
from sayso.data.leakage import Leakage, check_leakage
from sayso.data.leakage.names import describe_pair
from sayso.data.near_copies import NearCopy
from sayso.data.splits import split
from sayso.data.splits.split import Split
from sayso.errors import DataError
from sayso.recipe.recipe import read_recipe

# Five different words: a and b are trained on, c is validated on, d and e are tested.
NAMES = ("a/1.wav", "b/2.wav", "a/3.wav", "b/4.wav", "a/5.wav")
TRAIN, VALIDATION, TEST = [0, 1], [2], [3, 4]


def checked(
    *,
    copies: dict[int, int] | None = None,
    near: dict[int, int] | None = None,
    speakers: str = "pqrst",
    kind: str = "random",
    allow: tuple[str, ...] = (),
) -> Leakage:
    """Check clips of which some are copies of others: row by row of the original."""
    samples = [word(seed) for seed in range(5)]
    for row, original in (copies or {}).items():
        samples[row] = samples[original]
    for row, original in (near or {}).items():
        samples[row] = noisy(samples[original], 25)
    clips = tuple(Clip(f"/x/{name}", name[0], speaker) for name, speaker in zip(NAMES, speakers, strict=True))
    marks = tuple(str(hash(clip.tobytes())) for clip in samples)
    corpus = Corpus(clips, np.array(samples), AudioFormat(), fingerprints=marks)
    split = Split(np.array(TRAIN), np.array(VALIDATION), np.array(TEST), kind)
    return check_leakage(corpus, split, allow_copies=allow)


def test_clips_that_differ_are_nothing_to_speak_of() -> None:
    lists = ("same_samples", "near_copies", "near_copies_under_two_labels", "copies_in_validation")
    assert checked() == Leakage((), {"shared_speakers": 0, **{name: [] for name in lists}})


@pytest.mark.parametrize("original", [0, 2], ids=["of a training clip", "of a validation clip"])
def test_an_exact_copy_in_the_test_part_is_refused(original: int) -> None:
    with pytest.raises(DataError) as caught:
        checked(copies={4: original})
    assert str(caught.value) == (
        "1 test clip has the very samples of a training or validation clip (a/5.wav), so a score on them says nothing "
        "about new recordings; delete the copies, leave them out (dataset.exclude), or allow them: "
        "--set 'dataset.allow_copies=[\"a/5.wav\"]'"
    )


def test_copies_within_a_part_are_no_leak() -> None:
    assert checked(copies={1: 0}).notes == ()
    assert checked(copies={4: 3}).notes == ()


def test_the_third_of_three_equal_clips_is_a_leak_too() -> None:
    with pytest.raises(DataError, match=r"2 test clips have .*\(b/4\.wav, a/5\.wav\)"):
        checked(copies={3: 0, 4: 0})


@pytest.mark.parametrize("name", ["a/5.wav", "5.wav", "/x/a/5.wav", "a/*", "*", "a/1.wav"])
def test_a_copy_that_is_allowed_by_name_is_a_note(name: str) -> None:
    leakage = checked(copies={4: 0}, allow=("other.wav", name))
    assert leakage.notes == (
        "1 test clip is an exact copy of training or validation clips, as allowed (a/5.wav): the score is too good by "
        "that",
    )
    assert leakage.facts["same_samples"] == ["a/5.wav"]


@pytest.mark.parametrize("name", ["wav", ".wav", "a", "x/5.wav", "A/5.wav", "a/5", ""])
def test_other_names_allow_nothing(name: str) -> None:
    with pytest.raises(DataError, match="very samples"):
        checked(copies={4: 0}, allow=(name,))


def test_a_near_copy_is_a_note() -> None:
    leakage = checked(near={4: 2})
    assert len(leakage.notes) == 1
    assert re.fullmatch(
        r"1 test clip is a near copy of training or validation clips, such as a/3\.wav and a/5\.wav \(alike by "
        r"\d\.\d\d\): the score may be too good by that",
        leakage.notes[0],
    )
    assert len(leakage.facts["near_copies"]) == 1


@pytest.mark.parametrize("planted", [{"copies": {2: 0}}, {"near": {2: 0}}, {"copies": {1: 0}, "near": {2: 1}}])
def test_a_copy_in_validation_is_a_note(planted: dict[str, dict[int, int]], monkeypatch: pytest.MonkeyPatch) -> None:
    few = checked(**planted)
    # So few clips choose no epoch.
    assert (few.notes, few.facts["copies_in_validation"]) == ((), ["a/3.wav"])
    monkeypatch.setattr(split, "LEAST_TO_CHOOSE", 1)
    leakage = checked(**planted)
    assert leakage.notes == (
        "1 validation clip has copies or near copies in training (a/3.wav): the epoch to keep is chosen by what was "
        "trained on too",
    )
    assert leakage.facts["copies_in_validation"] == ["a/3.wav"]


def test_near_copies_under_two_labels_are_a_note() -> None:
    notes = checked(near={1: 0}).notes
    assert len(notes) == 1
    assert notes[0].startswith("1 pair of near copies has two labels, such as a/1.wav and b/2.wav")


def test_speakers_on_both_sides_are_counted() -> None:
    assert checked(speakers="pqrps").facts["shared_speakers"] == 1
    assert checked(speakers="pqrps").notes == ()
    assert checked(speakers="pqrps", kind="speakers").notes == ()
    notes = checked(speakers="pqrrs", kind="speakers").notes
    assert len(notes) == 1
    assert notes[0].startswith("1 test speaker is heard in validation too")


def test_the_mend_of_the_program_can_be_copied(
    program: Callable[..., tuple[int, str, str]], tone_folder: Path, tmp_path: Path
) -> None:
    for file in sorted(tone_folder.glob("high/*_0.wav")):
        shutil.copy(file, file.with_name(f"copy of {file.name}"))
    recipe = tmp_path / "tones.yaml"
    recipe.write_text(
        f"dataset: {{kind: folder, path: {tone_folder}}}\n"
        "split: {by: random, test_share: 0.5}\n"
        "audio: {sample_rate: 8000, clip_seconds: 0.5}\n"
        "features: {kind: mel, n_mels: 12}\n"
        "model: {kind: logistic}\n"
        "training: {epochs: 1, threads: 1}\n"
    )
    run = tmp_path / "run"
    code, _, err = program("train", recipe, "--out", run)
    assert code == 2
    line = one_line(err.replace("\n  ", " "))
    assert not run.exists()
    mend = shlex.split(line[line.index("--set") :])
    code, _, err = program("train", recipe, "--out", run, *mend)
    assert code == 0, err
    manifest = json.loads((run / "manifest.json").read_text())
    assert len(manifest["leakage"]["same_samples"]) > 0
    assert any("as allowed" in note for note in manifest["notes"])
    assert "as allowed" in (run / "report.html").read_text()
    assert read_recipe(run / "recipe.yaml").dataset.allow_copies


def corpus_of(*paths: str) -> Corpus:
    return Corpus(tuple(Clip(path, "a") for path in paths), np.zeros((len(paths), 8), np.int16), AudioFormat())


def test_pairs_are_named_apart() -> None:
    words = corpus_of("/data/left/ann/3.wav", "/data/right/ann/3.wav")
    told = describe_pair(NearCopy(0, 1, 0.0, 0.99), words, words)
    assert told == "left/ann/3.wav and right/ann/3.wav (alike by 0.99)"
    told = describe_pair(NearCopy(0, 0, 0.0, 1.0), corpus_of("/mine/ann/3.wav"), corpus_of("/theirs/ann/3.wav"))
    assert told == "mine/ann/3.wav and theirs/ann/3.wav (alike by 1.00)"
