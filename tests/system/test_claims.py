"""Folders and files for one command at a time: many ask at once, in threads and in processes."""

import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from sayso.errors import RunError
from sayso.system.claims import free_folder, locked_file, locked_folder, own_folder

AT_ONCE = 8


def race(ask: Callable[[], str]) -> list[str]:
    """Let many threads ask at the same moment; gives what each got, or the error it met."""
    ready = threading.Barrier(AT_ONCE)

    def take(_: int) -> str:
        ready.wait()
        try:
            return ask()
        except RunError as error:
            return str(error)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(take, range(AT_ONCE)))


def test_of_one_name_each_gets_its_own_folder(tmp_path: Path) -> None:
    with ExitStack() as held:
        taken = race(lambda: held.enter_context(free_folder(tmp_path / "run")).name)
        assert sorted(taken) == ["run", *(f"run-{number}" for number in range(2, AT_ONCE + 1))]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("there", [False, True])
def test_of_one_folder_one_gets_it_and_the_others_are_told(tmp_path: Path, there: bool) -> None:
    if there:
        (tmp_path / "run").mkdir()
    with ExitStack() as held:
        taken = race(lambda: held.enter_context(own_folder(tmp_path / "run")).name)
    told = f"{tmp_path / 'run'}: another command is writing there; wait for it, or choose another --out"
    assert sorted(taken) == sorted(["run", *[told] * (AT_ONCE - 1)])
    assert (tmp_path / "run").exists() == there


def test_what_was_written_stays_and_is_not_taken_again(tmp_path: Path) -> None:
    with own_folder(tmp_path / "run") as folder:
        (folder / "mine").touch()
    with pytest.raises(RunError, match="exists and is not empty, nothing was changed"), own_folder(tmp_path / "run"):
        pass
    with free_folder(tmp_path / "run") as other:
        assert other == tmp_path / "run-2"
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match="is a file, nothing was changed"), own_folder(tmp_path / "file"):
        pass
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "run"]


def test_folders_that_vanish_are_made_again(tmp_path: Path) -> None:
    """Each claim removes the empty folder above it while others are about to use that."""

    def ask() -> str:
        for _ in range(20):
            with free_folder(tmp_path / "runs" / "run"):
                pass
        return "fine"

    assert race(ask) == ["fine"] * AT_ONCE


def other_process(folder: Path) -> "subprocess.Popen[str]":
    """Start a process that owns a folder until its input is closed; waited for until it does."""
    code = (
        "import sys; from pathlib import Path; from sayso.system.claims import own_folder\n"
        "with own_folder(Path(sys.argv[1])): print('mine', flush=True); sys.stdin.read()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "mine\n"
    return process


def test_a_claim_holds_between_processes_and_goes_with_one_that_is_killed(tmp_path: Path) -> None:
    with other_process(tmp_path / "run") as process:
        with pytest.raises(RunError, match="another command is writing there"), own_folder(tmp_path / "run"):
            pass
        with pytest.raises(RunError, match="another command is writing there"), locked_folder(tmp_path / "run"):
            pass
        process.kill()
        process.wait()
    with own_folder(tmp_path / "run") as folder:
        assert folder.is_dir()


def test_a_locked_file_lets_in_one_after_the_other(tmp_path: Path) -> None:
    inside: list[int] = []
    waiting: list[str] = []

    def ask() -> str:
        with locked_file(tmp_path / "deep" / "lock", waits=lambda: waiting.append("waits")):
            inside.append(1)
            most = len(inside)
            threading.Event().wait(0.01)
            inside.pop()
        return str(most)

    assert race(ask) == ["1"] * AT_ONCE
    assert waiting
    assert list((tmp_path / "deep").iterdir()) == []
