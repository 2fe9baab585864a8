"""What the levels of a folder mean: parts, words and speakers where that is plain, else one line that asks."""

from pathlib import Path

import pytest

from folders_made import listing_of, touch
from sayso.data.datasets.folder.branch import LeftOut, read_branch
from sayso.errors import DataError


def judged(root: Path, *names: str, **settings: str) -> list[tuple[str, str, str | None, str | None]]:
    """Path, word, part and speaker of each clip."""
    listing = listing_of(touch(root, *(f"{name}.wav" for name in names)), **settings)
    return sorted(
        (Path(clip.path).relative_to(root).with_suffix("").as_posix(), clip.label, clip.part, clip.speaker)
        for clip in listing.clips
    )


def asked(root: Path, *names: str, **settings: str) -> str:
    with pytest.raises(DataError) as caught:
        judged(root, *names, **settings)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def in_all(folders: str, inner: str) -> list[str]:
    """Every path of a folder, one within it, and a clip.

    >>> in_all("train test", "yes")
    ['train/yes/1', 'test/yes/1']
    """
    return [f"{folder}/{name}/1" for folder in folders.split() for name in inner.split()]


@pytest.mark.parametrize(
    ("folders", "parts"),
    [
        ("train test", "train test"),
        ("Training validation Testing", "train validation test"),
        ("train_set val-set testset", "train validation test"),
        ("train valid eval", "train validation test"),
        ("train evaluation test", "train validation test"),
        ("train dev", "train validation"),
    ],
)
def test_parts_above_words(tmp_path: Path, folders: str, parts: str) -> None:
    assert {(name, word, part) for name, word, part, _ in judged(tmp_path, *in_all(folders, "yes no"))} == {
        (f"{folder}/{word}/1", word, part)
        for folder, part in zip(folders.split(), parts.split(), strict=True)
        for word in ("yes", "no")
    }


def test_parts_with_speakers_below_words_and_noise(tmp_path: Path) -> None:
    touch(tmp_path, "train/_background_noise_/street/1.wav", "docs/readme.txt")
    assert judged(tmp_path, "train/yes/anna/1", "train/no/anna/1", "test/yes/ben/1") == [
        ("test/yes/ben/1", "yes", "test", "ben"),
        ("train/no/anna/1", "no", "train", "anna"),
        ("train/yes/anna/1", "yes", "train", "anna"),
    ]
    listing = listing_of(tmp_path)
    assert listing.noise == (str(tmp_path / "train/_background_noise_/street/1.wav"),)
    assert "no sound files in: docs; these are not words then" in listing.notes
    assert "folders divide the clips: 2 to train, 1 to test" in listing.notes


def test_words_beside_their_test_part(tmp_path: Path) -> None:
    names = ["wake-word/1", "not-wake-word/1", "test/wake-word/2", "test/not-wake-word/2"]
    assert judged(tmp_path, *names) == [
        ("not-wake-word/1", "not-wake-word", "train", None),
        ("test/not-wake-word/2", "not-wake-word", "test", None),
        ("test/wake-word/2", "wake-word", "test", None),
        ("wake-word/1", "wake-word", "train", None),
    ]


def test_parts_below_words(tmp_path: Path) -> None:
    assert judged(tmp_path, "yes/train/1", "yes/test/anna/1", "no/train/1", "no/test/1") == [
        ("no/test/1", "no", "test", None),
        ("no/train/1", "no", "train", None),
        ("yes/test/anna/1", "yes", "test", "anna"),
        ("yes/train/1", "yes", "train", None),
    ]


def test_clips_of_a_word_beside_its_test_part_train(tmp_path: Path) -> None:
    assert judged(tmp_path, "yes/1", "yes/test/2", "no/1", "no/test/2") == [
        ("no/1", "no", "train", None),
        ("no/test/2", "no", "test", None),
        ("yes/1", "yes", "train", None),
        ("yes/test/2", "yes", "test", None),
    ]


@pytest.mark.parametrize(
    "names",
    [
        ["yes/1", "no/1", "test/1"],
        ["yes/anna/1", "no/anna/1", "test/anna/1"],
        ["yes/anna/1", "no/anna/1", "test/anna/1", "test/2"],
        ["yes/1", "train/1", "test/1"],
    ],
)
def test_a_word_that_is_called_like_a_part_stays_one(tmp_path: Path, names: list[str]) -> None:
    clips = judged(tmp_path, *names)
    assert {word for _, word, _, _ in clips} == {name.partition("/")[0] for name in names}
    assert {part for _, _, part, _ in clips} == {None}
    assert all(speaker == ("anna" if "anna" in name else None) for name, _, _, speaker in clips)


def test_people_who_are_called_like_parts_stay_people(tmp_path: Path) -> None:
    names = in_all("yes no", "anna dev val")
    assert {speaker for _, _, _, speaker in judged(tmp_path / "a", *names)} == {"anna", "dev", "val"}
    assert {speaker for _, _, _, speaker in judged(tmp_path / "b", *in_all("yes no", "dev val"))} == {"dev", "val"}


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (in_all("train val test extras", "yes no"), "test, train, val look like parts, and extras beside them like"),
        ([*in_all("train test", "yes no"), "other/1"], "test, train look like parts, and other beside them"),
        (in_all("train eval", "yes no"), "which parts its folders eval, train are is not plain; name the parts train,"),
        (in_all("train val dev", "yes no"), "which parts its folders dev, train, val are is not plain"),
        ([*in_all("train", "yes no"), "music/1"], "train may be a part or a word, as its folders no, yes are neither"),
        (in_all("yes no", "train anna"), "folders inside words, such as train, look like parts, not like speakers"),
        (in_all("yes no", "train"), "folders inside words, such as train, look like parts"),
        (["yes/1", "no/1", "yes/train/1", "yes/test/1"], "folders inside words, such as test, train, look like parts"),
        (["yes/anna/train/1", "yes/anna/test/1", "no/anna/1"], "folders inside words, such as test, train, look like"),
        (in_all("train test", "yes/test no/test"), "folders inside words, such as test, look like parts"),
        (in_all("yes no", "original loud"), "folders inside words, such as loud, original, look like versions of the"),
    ],
)
def test_what_is_not_plain_is_asked(tmp_path: Path, names: list[str], message: str) -> None:
    assert message in asked(tmp_path, *names)


def test_an_answer_is_taken(tmp_path: Path) -> None:
    names = in_all("yes no", "original loud")
    assert "set dataset.speaker=folder if they are speakers, dataset.speaker=none" in asked(tmp_path, *names)
    assert {speaker for _, _, _, speaker in judged(tmp_path, *names, speaker="none")} == {None}
    assert {speaker for _, _, _, speaker in judged(tmp_path, *names, speaker="folder")} == {"loud", "original"}


def test_hidden_sound_is_noted_and_other_hidden_files_are_not(tmp_path: Path) -> None:
    touch(tmp_path, "yes/1.wav", "no/1.wav", ".DS_Store", ".git/config", ".old/deep/1.wav", "yes/._1.wav")
    assert listing_of(tmp_path).notes == ("hidden, left out: .old, yes/._1.wav",)


def test_noise_in_sub_folders_is_taken(tmp_path: Path) -> None:
    touch(tmp_path, "yes/1.wav", "_background_noise_/kitchen/1.wav", "_background_noise_/2.wav")
    noise = [Path(path).relative_to(tmp_path).as_posix() for path in listing_of(tmp_path).noise]
    assert noise == ["_background_noise_/2.wav", "_background_noise_/kitchen/1.wav"]


def test_noise_under_another_name_is_a_word_and_that_is_said(tmp_path: Path) -> None:
    assert {word for _, word, _, _ in judged(tmp_path, "yes/1", "Background Noise/1")} == {"yes", "Background Noise"}
    assert listing_of(tmp_path).notes[0].startswith("Background Noise is taken for a word; call its folder _background")


def test_links_that_lead_back_come_to_an_end(tmp_path: Path) -> None:
    touch(tmp_path, "yes/1.wav")
    (tmp_path / "yes" / "again").symlink_to(tmp_path / "yes")
    left_out = LeftOut(str(tmp_path))
    assert len(list(read_branch(str(tmp_path), left_out).recordings())) == 8
    assert left_out.strange == {"folders": 1}


def test_a_link_in_a_circle_is_a_file_that_its_reader_tells(tmp_path: Path) -> None:
    touch(tmp_path, "yes/1.wav")
    (tmp_path / "yes" / "round.wav").symlink_to("round.wav")
    assert read_branch(str(tmp_path), LeftOut(str(tmp_path))).branches[0].sounds == ["1.wav", "round.wav"]
