"""Background for two parts: what is in one is not in the other, and nothing that trained is in any."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from conftest import write_tones
from runs_made import small_prepared
from sayso.audio import quantise, read_sound, resample, to_float
from sayso.data.corpus import take
from sayso.errors import DataError
from sayso.recipe.recipe import Rejection
from sayso.studies.tuning.background import gather, materials
from sayso.studies.tuning.material import Background
from sayso.studies.tuning.other_speech import join_rejected
from sayso.studies.tuning.sound_store import open_store, read_blocks
from sayso.system.progress import Progress


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    root = tmp_path_factory.mktemp("background")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SAYSO_CACHE", str(root / "cache"))
        return small_prepared(write_tones(root / "tones"))


def write(path: Path, seconds=2.0, rate=16_000, seed=0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = 0.1 * np.random.default_rng(seed).standard_normal(round(seconds * rate))
    soundfile.write(path, samples, rate)
    return path


def gathered(prepared, *places) -> tuple[Background, list[list[str]]]:
    with open_store() as store:
        found = gather(prepared, places, store, Progress())
        return found, [[Path(one.name).name for one in part] for part in (found.validation, found.test)]


def test_files_take_turns(prepared, tmp_path):
    for place, name in enumerate(("a.wav", "b.wav", "deep/c.wav", "deep/d.wav", "e.wav")):
        write(tmp_path / name, seed=place)
    found, names = gathered(prepared, tmp_path)
    assert names == [["a.wav", "deep/c.wav"[5:], "e.wav"], ["b.wav", "d.wav"]]
    assert found.what == "5 recordings (0.0028 h)"
    assert found.notes == ()


def test_a_file_stands_in_one_part_whatever_it_is_called(prepared, tmp_path):
    write(tmp_path / "a.wav")
    write(tmp_path / "again.wav")
    write(tmp_path / "b.wav", seed=1)
    _, names = gathered(prepared, tmp_path, tmp_path / "a.wav")
    assert sorted(names[0] + names[1]) == ["a.wav", "b.wav"]


def test_one_recording_alone_is_halved(prepared, tmp_path):
    path = write(tmp_path / "a.wav", rate=8000)
    with open_store() as store:
        found = gather(prepared, [path], store, Progress())
        whole = np.concatenate((found.validation[0].samples, found.test[0].samples))
        np.testing.assert_array_equal(whole, read_sound(path).samples)
        assert len(found.test[0].samples) == 8000
    assert "its first half chooses" in found.notes[0]


def test_blocks_at_another_rate_are_the_whole_file_at_that_rate(tmp_path):
    path = write(tmp_path / "a.wav", seconds=70.0, rate=11_025)
    with open_store() as store:
        store.read(store.add(read_blocks(write(tmp_path / "before.wav"), 8000)))
        samples = store.read(store.add(read_blocks(path, 8000)))
        expected = quantise(resample(to_float(read_sound(path).samples), 11_025, 8000))
        assert len(samples) == len(expected)
        np.testing.assert_allclose(samples, expected, atol=1)


def test_a_thousand_recordings_hold_one_file_open(tmp_path):
    resource = pytest.importorskip("resource")
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    block = np.arange(3, dtype=np.int16)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, limits[1]))
        with open_store() as store:
            places = [store.add([block + place]) for place in range(600)]
            sounds = [store.read(place) for place in places]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert [int(sound[0]) for sound in sounds] == [*range(600)]
    assert store.read(slice(0, 0)).size == 0


def test_what_the_run_was_trained_on_is_refused_under_any_name(prepared, tmp_path):
    trained = write(tmp_path / "radio" / "a.wav")
    write(tmp_path / "radio" / "b.wav", seed=1)
    rejection = Rejection(recordings=(str(tmp_path / "radio"),))
    run = replace(prepared, recipe=replace(prepared.recipe, rejection=rejection))
    other = tmp_path / "new" / "other.wav"
    other.parent.mkdir()
    other.write_bytes(trained.read_bytes())
    write(tmp_path / "new" / "free.wav", seed=2)
    with pytest.raises(DataError, match=r"the run was trained on .*other\.wav \(rejection\.recordings\)"):
        gathered(run, tmp_path / "new")
    other.unlink()
    write(tmp_path / "new" / "more.wav", seed=3)
    assert gathered(run, tmp_path / "new")[1] == [["free.wav"], ["more.wav"]]


def test_clips_of_the_words_are_no_background(prepared, tmp_path):
    write(tmp_path / "free.wav")
    for row in prepared.split.test[:2]:
        soundfile.write(tmp_path / f"{row}.wav", prepared.corpus.samples[row], prepared.corpus.audio.sample_rate)
    with pytest.raises(DataError, match="--background holds 2 clips of the wanted words themselves"):
        gathered(prepared, tmp_path)


def test_background_without_sound_is_told(prepared, tmp_path):
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(DataError, match="holds no sound file"):
        gathered(prepared, tmp_path)
    soundfile.write(tmp_path / "a.wav", np.zeros(8000), 8000)
    (tmp_path / "b.wav").write_bytes(b"no sound")
    with pytest.raises(DataError, match=r"--background: none of 2 files holds sound .*a\.wav: silent throughout"):
        gathered(prepared, tmp_path)
    write(tmp_path / "c.wav")
    found, _ = gathered(prepared, tmp_path)
    assert found.notes[0].startswith("2 files of background skipped: ")


def with_unknown(prepared, kind, tested):
    """The same clips as those of words to reject, of which these rows belong with the test part."""
    run = replace(prepared, unknown_clips=prepared.corpus.clips, split=replace(prepared.split, kind=kind))
    vars(run)["unknown_words"] = take(prepared.corpus, tested)
    return run


def names_of(recordings):
    return {one.name.removeprefix("words to reject of ") for one in recordings}


def test_clips_of_words_to_reject_are_joined_by_speaker(prepared):
    found = join_rejected(with_unknown(prepared, "random", np.arange(36)), Progress())
    assert found.what == "36 clips of words to reject"
    assert names_of(found.validation) == names_of(found.test) == {"ann", "bob", "cas", "dee"}
    # 18 clips of 0.3 to 0.5 s, without the silence around them, and gaps of up to 0.35 s.
    seconds = sum(len(one.samples) for one in found.test) / 8000
    assert 18 * 0.2 < seconds < 18 * 0.85
    assert all(np.abs(one.samples).max() > 3000 for one in found.test)


def test_words_to_reject_of_speakers_who_are_tested_stay_with_them(prepared):
    found = join_rejected(with_unknown(prepared, "speakers", prepared.split.test), Progress())
    assert found.what == "36 clips of words to reject"
    assert names_of(found.test) == set(prepared.test_speakers)
    assert names_of(found.validation) == {"ann", "bob", "cas", "dee"} - set(prepared.test_speakers)
    assert join_rejected(prepared, Progress()) is None


def test_words_of_each_part_and_noise_go_with_its_background(prepared, tmp_path):
    noisy = replace(
        prepared, corpus=replace(prepared.corpus, noise=tuple(np.full(9, one, np.int16) for one in (1, 2, 3)))
    )
    for place in range(2):
        write(tmp_path / f"{place}.wav", seed=place)
    with open_store() as store:
        made, what = materials(noisy, gather(noisy, [tmp_path], store, Progress()))
    assert made["validation"].rows.tolist() == prepared.split.validation.tolist()
    assert made["test"].rows.tolist() == prepared.split.test.tolist()
    assert [[int(one[0]) for one in made[part].noise] for part in ("validation", "test")] == [[1, 3], [2]]
    assert what == "2 recordings (0.0011 h); the data set's 3 recordings of noise beneath, which trained too"
    assert materials(prepared, Background((), (), "x"))[1] == "x; white noise beneath"
