"""The exclusion file: written, read, and its clips left out of any data set."""

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from sayso.data.clips import Clip, Listing
from sayso.data.datasets import DatasetConfig
from sayso.data.exclusions import Exclusion, read_exclusions, write_exclusions
from sayso.errors import DataError
from sayso.recipe.defaults import Wishes
from sayso.recipe.prepared import prepare
from sayso.recipe.source import find_recipe
from sayso.system.progress import Progress


@dataclass(frozen=True, kw_only=True)
class Made(DatasetConfig):
    """Stretches of one recording, and two files."""

    folder: str

    def listing(self, progress: Progress) -> Listing:
        long = f"{self.folder}/long.wav"
        clips = [Clip(long, "a", start_seconds=start) for start in (0.5, 1.25)]
        return Listing((*clips, *(Clip(f"{self.folder}/a/{name}.wav", "a") for name in "pq")), notes=("first",))


@pytest.fixture
def left(tmp_path):
    """Give a function that writes an exclusion file and says which clips it leaves, and the last note."""

    def keep(*rows: Exclusion) -> tuple[list[tuple[str, float | None]], str]:
        path = tmp_path / "exclude.csv"
        write_exclusions(path, rows)
        listing = Made(folder=str(tmp_path), exclude=str(path)).kept_listing(Progress())
        return [(Path(clip.path).name, clip.start_seconds) for clip in listing.clips], listing.notes[-1]

    return keep


def test_what_is_written_is_read_back(tmp_path) -> None:
    rows = (
        Exclusion('/clips/a "b", c/ü.wav', None, "silence", "peak 0.0"),
        Exclusion("x.wav", 1.2345678901234567, "clipping", "two\nlines"),
        Exclusion("bytes\udcff.wav"),
        Exclusion("a\r.wav", None, "\r", "\n\r"),
    )
    write_exclusions(tmp_path / "e.csv", rows)
    assert read_exclusions(tmp_path / "e.csv") == rows
    assert (tmp_path / "e.csv").read_bytes().startswith(b"clip,start_seconds,fault,detail\n")


def test_a_list_of_clips_alone_will_do(tmp_path) -> None:
    (tmp_path / "e.csv").write_text("\ufeffClip\na.wav\n\nb.wav\n", encoding="utf-8")
    assert read_exclusions(tmp_path / "e.csv") == (Exclusion("a.wav"), Exclusion("b.wav"))


def test_clips_are_named_whole_or_from_the_files_folder(left, tmp_path) -> None:
    kept, note = left(Exclusion(f"{tmp_path}/a/p.wav"), Exclusion("./a/q.wav"), Exclusion("a/q.wav"))
    assert kept == [("long.wav", 0.5), ("long.wav", 1.25)]
    assert note == f"2 clips left out by {tmp_path / 'exclude.csv'}"


def test_clips_are_found_with_backslashes_and_without_ending(left) -> None:
    kept, _ = left(Exclusion(r".\a\p.wav"), Exclusion("a/q"))
    assert kept == [("long.wav", 0.5), ("long.wav", 1.25)]


def test_the_start_tells_stretches_apart(left) -> None:
    assert left(Exclusion("long.wav", 1.25))[0] == [("long.wav", 0.5), ("p.wav", None), ("q.wav", None)]
    assert left(Exclusion("long.wav"))[0] == [("p.wav", None), ("q.wav", None)]
    assert left(Exclusion("a/p.wav", 0.0))[0] == [("long.wav", 0.5), ("long.wav", 1.25), ("q.wav", None)]


def test_clips_that_are_there_but_not_used_are_passed_over(left, tmp_path) -> None:
    (tmp_path / "other.wav").touch()
    kept, note = left(Exclusion("other.wav"), Exclusion("a/p.wav"))
    assert len(kept) == 3
    assert note.endswith("exclude.csv, which names 1 file more that are not used here")
    kept, note = left(Exclusion("other.wav"))  # as where none of its words is chosen
    assert len(kept) == 4
    assert note.startswith("0 clips left out by")


def test_the_file_of_another_data_set_is_told(left, tmp_path, tmp_path_factory) -> None:
    copy = tmp_path_factory.mktemp("copy") / "p.wav"
    copy.touch()
    with pytest.raises(DataError, match=r"exclude.csv: names none of the data set's clips, but others") as caught:
        left(Exclusion(str(copy)))
    assert f"such as {copy}; the data set's are such as {tmp_path}/long.wav; run" in str(caught.value)
    assert left(Exclusion(str(copy)), Exclusion("a/p.wav"))[1].endswith("1 file more that are not used here")


def test_a_folder_is_no_clip(left, tmp_path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(DataError, match=r"names 2 clips that are gone: a, \\x00\.wav; take"):
        left(Exclusion("a"), Exclusion("\0.wav"))


def test_clips_that_are_gone_are_counted_and_three_named(left) -> None:
    with pytest.raises(DataError, match=r"names 1 clip that is gone: long.wav from 0.75 s; take"):
        left(Exclusion("long.wav", 0.75), Exclusion("a/p.wav"))
    with pytest.raises(DataError, match=r"names 5 clips that are gone: 0.wav, 1.wav, 2.wav, \.\.\.; take"):
        left(*(Exclusion(f"{number}.wav") for number in range(5)))


def test_not_every_clip_can_be_left_out(left) -> None:
    with pytest.raises(DataError, match="names every clip"):
        left(Exclusion("long.wav"), Exclusion("a/p.wav"), Exclusion("a/q.wav"))


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (
            b"path,fault\na.wav,x\n",
            "has no column clip; .* is clip,start_seconds,fault,detail, here it is 'path, fault'",
        ),
        (b"", "has no column clip"),
        (b"\0\xff\0RIFF\x01", "has no column clip"),
        (b"clip,start_seconds\na.wav,soon\n", "line 2: start_seconds is 'soon', must be seconds"),
        (b"clip,start_seconds\na.wav,nan\n", "line 2: start_seconds is 'nan'"),
        (b"clip,start_seconds\n,1\n", "line 2 names no clip"),
        (b"fault,clip\nsilence\n", "line 2 names no clip"),
        (b'clip\n"a.wav\n', "cannot be read as an exclusion file"),
        (None, "no such exclusion file; check the path, which is dataset.exclude in a recipe"),
    ],
)
def test_a_file_that_is_none_is_one_line(tmp_path, content, line) -> None:
    path = tmp_path / "e.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=line) as caught:
        read_exclusions(path)
    assert "\n" not in str(caught.value)
    with pytest.raises(DataError, match="cannot be read as an exclusion file"):
        read_exclusions(tmp_path)


def test_training_on_a_folder_leaves_them_out_from_any_working_folder(tone_folder, tmp_path, monkeypatch) -> None:
    first, *rest = sorted(tone_folder.rglob("*.wav"))
    monkeypatch.chdir(tmp_path)
    write_exclusions(Path("e.csv"), [Exclusion(str(first), None, "silence")])
    wishes = Wishes(recordings_alone=True)
    _, recipe = find_recipe(tone_folder, ["dataset.exclude=e.csv"], wishes=wishes, progress=Progress())
    monkeypatch.chdir("/")
    prepared = prepare(recipe, Progress())
    corpus, split = prepared.corpus, prepared.split
    assert sorted(clip.path for clip in corpus.clips) == [str(path) for path in rest]
    assert f"1 clip left out by {tmp_path / 'e.csv'}" in corpus.notes
    assert len(split.rows("all")) == len(rest)
    bare = replace(recipe, dataset=replace(recipe.dataset, exclude=None))
    assert prepare(bare, Progress()).corpus.content_hash != corpus.content_hash
