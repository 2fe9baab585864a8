"""Writing whole or not at all."""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.errors import OutputError
from sayso.system.files import (
    append_line,
    atomic_folder,
    atomic_path,
    cache_folder,
    data_folder,
    digest,
    file_digest,
    write_json,
    write_new_text,
    write_text,
)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_writes_and_makes_folders(tmp_path: Path) -> None:
    write_text(tmp_path / "a" / "b" / "note.txt", "ß\n")
    assert (tmp_path / "a" / "b" / "note.txt").read_bytes() == "ß\n".encode()
    assert names(tmp_path / "a" / "b") == ["note.txt"]


@pytest.mark.parametrize("stop", [ValueError, KeyboardInterrupt, SystemExit])
def test_stop_leaves_the_old_file(tmp_path: Path, stop: type[BaseException]) -> None:
    path = tmp_path / "note.txt"
    write_text(path, "old")

    def write_half() -> None:
        with atomic_path(path) as temporary:
            temporary.write_text("half of the n")
            raise stop

    with pytest.raises(stop):
        write_half()
    assert path.read_text() == "old"
    assert names(tmp_path) == ["note.txt"]


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_files_are_readable_by_whom_the_process_says(tmp_path: Path, mask: int, mode: int) -> None:
    write = "from pathlib import Path; from sayso.system.files import write_text; write_text(Path('note.txt'), 'x')"
    subprocess.run([sys.executable, "-c", f"import os; os.umask({mask}); {write}"], cwd=tmp_path, check=True)
    assert (tmp_path / "note.txt").stat().st_mode & 0o777 == mode


@pytest.mark.parametrize(
    ("number", "mend"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EDQUOT, "quota"),
        (errno.EACCES, "no permission"),
        (errno.EPERM, "no permission"),
        (errno.EROFS, "read-only"),
        (errno.EIO, "the disk reports an error"),
    ],
)
def test_trouble_is_one_line_and_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, mend: str
) -> None:
    path = tmp_path / "note.txt"
    write_text(path, "old")

    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(OutputError, match=mend) as caught:
        write_text(path, "new")
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2
    assert path.read_text() == "old"
    assert names(tmp_path) == ["note.txt"]


def test_an_unknown_trouble_is_not_disguised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EBADF, "odd")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(OSError, match="odd"):
        write_text(tmp_path / "note.txt", "new")


def test_a_file_where_a_folder_is_needed(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    for path in (tmp_path / "taken" / "note.txt", tmp_path / "taken" / "deeper" / "note.txt"):
        with pytest.raises(OutputError, match="a file stands where a folder is needed"):
            write_text(path, "new")


def test_a_folder_where_a_file_is_needed(tmp_path: Path) -> None:
    (tmp_path / "note.txt").mkdir()
    with pytest.raises(OutputError, match="a folder stands where a file is needed"):
        write_text(tmp_path / "note.txt", "new")
    assert names(tmp_path) == ["note.txt"]


def test_a_name_that_is_too_long(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="too long"):
        write_text(tmp_path / ("x" * 300), "new")


def test_folder_appears_whole(tmp_path: Path) -> None:
    target = tmp_path / "a" / "made"
    with atomic_folder(target) as new:
        (new / "one").write_text("1")
        assert not target.exists()
    assert names(target) == ["one"]
    assert names(tmp_path / "a") == ["made"]


@pytest.mark.parametrize("stop", [ValueError, KeyboardInterrupt])
def test_stop_leaves_no_folder(tmp_path: Path, stop: type[BaseException]) -> None:
    def make_half() -> None:
        with atomic_folder(tmp_path / "made") as new:
            (new / "one").write_text("1")
            raise stop

    with pytest.raises(stop):
        make_half()
    assert names(tmp_path) == []


def test_the_first_folder_stays(tmp_path: Path) -> None:
    with atomic_folder(tmp_path / "made") as mine:
        (mine / "who").write_text("second")
        with atomic_folder(tmp_path / "made") as theirs:
            (theirs / "who").write_text("first")
    assert (tmp_path / "made" / "who").read_text() == "first"
    assert names(tmp_path) == ["made"]


def test_a_new_file_is_written_once(tmp_path: Path) -> None:
    assert write_new_text(tmp_path / "a" / "note.txt", "first")
    assert not write_new_text(tmp_path / "a" / "note.txt", "second")
    assert (tmp_path / "a" / "note.txt").read_text() == "first"
    assert names(tmp_path / "a") == ["note.txt"]


def test_a_folder_that_is_being_removed_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What stood in the way is gone at the second look, as when another process clears the cache."""
    replace, refused = Path.replace, [True]

    def refuse_once(self: Path, target: Path) -> Path:
        if refused:
            refused.clear()
            raise OSError(errno.ENOTEMPTY, os.strerror(errno.ENOTEMPTY))
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", refuse_once)
    with atomic_folder(tmp_path / "made") as new:
        (new / "one").write_text("1")
    assert names(tmp_path / "made") == ["one"]


def test_a_file_in_the_place_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "made").write_text("mine")

    def make() -> None:
        with atomic_folder(tmp_path / "made") as new:
            (new / "one").write_text("1")

    with pytest.raises(OutputError, match="a file stands where a folder is needed"):
        make()
    assert (tmp_path / "made").read_text() == "mine"


def test_json_is_readable_and_strict(tmp_path: Path) -> None:
    path = tmp_path / "value.json"
    write_json(path, {"word": "größe", "accuracy": 0.5})
    assert "größe" in path.read_text(encoding="utf-8")
    with pytest.raises(ValueError, match="JSON"):
        write_json(path, {"accuracy": float("nan")})
    assert json.loads(path.read_text(encoding="utf-8")) == {"word": "größe", "accuracy": 0.5}


def test_json_holds_names_that_are_no_utf8(tmp_path: Path) -> None:
    odd = os.fsdecode(b"\xe9t\xe9.wav")
    write_json(tmp_path / "value.json", {"path": odd})
    assert json.loads((tmp_path / "value.json").read_text(encoding="utf-8")) == {"path": odd}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(first=json_values, second=json_values)
def test_digests_differ_when_values_do(first: object, second: object) -> None:
    assert (digest(first) == digest(second)) == (
        json.dumps(first, sort_keys=True) == json.dumps(second, sort_keys=True)
    )


def test_file_digest(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    assert file_digest(tmp_path / "a") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_folders_follow_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SAYSO_CACHE", "~/own")
    assert cache_folder() == Path.home() / "own"
    monkeypatch.delenv("SAYSO_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "sayso"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == Path.home() / ".cache" / "sayso"
    monkeypatch.delenv("SAYSO_DATA", raising=False)
    assert data_folder() is None
    monkeypatch.setenv("SAYSO_DATA", str(tmp_path))
    assert data_folder() == tmp_path


def test_a_line_is_added_behind_one_that_a_crash_left_unfinished(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    append_line(path, "a,1\n", header="name,count\n")
    append_line(path, "b,2\n", header="name,count\n")
    assert path.read_text() == "name,count\na,1\nb,2\n"
    path.write_text("name,count\na,1\nb,")
    append_line(path, "c,3\n", header="name,count\n")
    assert path.read_text() == "name,count\na,1\nb,\nc,3\n"


def test_a_line_that_finds_no_room_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("a\n")
    most = path.stat().st_size + 10
    code = (
        "import resource, signal, sys; from pathlib import Path; from sayso.system.files import append_line\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({most}, {most}))\n"
        "try: append_line(Path(sys.argv[1]), 'b' * 100 + '\\n')\n"
        "except OSError as error: print(error.strerror)\n"
    )
    told = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True).stdout
    assert told == "File too large\n"
    assert path.read_text() == "a\n"
