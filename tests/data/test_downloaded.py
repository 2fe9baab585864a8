"""Where the recordings of a published archive lie, and what is said when the archive is another one."""

import tarfile
from pathlib import Path

import pytest

from sayso.data.downloaded import Download, note_partial_copy
from sayso.errors import DataError, DownloadError
from sayso.system.progress import Progress


def find_clips(root: Path) -> Path | None:
    return root / "clips" if (root / "clips").is_dir() else None


WORDS = Download(
    name="words", urls=("http://127.0.0.1:9/x",), archive="words.tar.gz", find=find_clips, sought="`clips` folder"
)


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "data").mkdir()
    monkeypatch.setenv("SAYSO_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("SAYSO_CACHE", str(tmp_path / "cache"))
    return tmp_path


def put_archive(places: Path, folder: str) -> Path:
    """Leave an archive that holds one file in `folder` where archives are looked for."""
    (places / "one.wav").write_bytes(b"x")
    archive = places / "cache" / "downloads" / "words.tar.gz"
    archive.parent.mkdir(parents=True)
    with tarfile.open(archive, "w:gz") as packed:
        packed.add(places / "one.wav", f"{folder}/one.wav")
    return archive


def test_a_person_s_own_copy_comes_before_a_downloaded_one(places: Path) -> None:
    assert WORDS.location() is None
    downloaded, own = places / "cache" / "downloads" / "words" / "clips", places / "data" / "words" / "clips"
    downloaded.mkdir(parents=True)
    assert WORDS.location() == downloaded
    own.mkdir(parents=True)
    assert WORDS.location() == own == WORDS.fetch(Progress())


def test_without_sayso_data_only_downloads_are_looked_at(places: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SAYSO_DATA")
    assert WORDS.location() is None
    (places / "cache" / "downloads" / "words" / "clips").mkdir(parents=True)
    assert WORDS.location() is not None


def test_an_archive_is_unpacked_once(places: Path) -> None:
    archive = put_archive(places, "clips")
    folder = WORDS.fetch(Progress())
    assert (folder / "one.wav").read_bytes() == b"x"
    archive.unlink()
    assert WORDS.fetch(Progress()) == folder


def test_an_archive_of_something_else_is_named_with_what_it_lacks(places: Path) -> None:
    put_archive(places, "pictures")
    with pytest.raises(DataError, match=r"downloads.words: holds no `clips` folder; remove it and run again$"):
        WORDS.fetch(Progress())


def test_offline_says_where_to_put_the_archive(places: Path) -> None:
    with pytest.raises(DownloadError, match=r"put words\.tar\.gz into .*SAYSO_DATA to a folder that holds `words/`"):
        WORDS.fetch(Progress())


def test_a_folder_of_data_that_is_not_there_is_told_before_anything_is_fetched(
    places: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_archive(places, "clips")
    for lacking in (places / "nowhere", places / "one.wav"):
        monkeypatch.setenv("SAYSO_DATA", str(lacking))
        with pytest.raises(DataError, match=rf"^SAYSO_DATA: {lacking}: no such folder; name one that holds `words/`"):
            WORDS.fetch(Progress())


def test_only_a_partial_copy_is_noted() -> None:
    assert note_partial_copy(3_000, 3_000) == ()
    assert note_partial_copy(1_200, 3_000) == ("a partial copy: 1,200 of 3,000 clips are here",)
