"""What an archive's answering keeps beside its table until that is whole, so that a kill costs no file and none twice.

The folder `answers.csv.unfinished` holds `asked.json` (by which model, in what way), `files.jsonl` (a path a line, in
order), `answers.jsonl` (an answer a line, in the same order), and where others answer `pieces` (see there).
"""

import json
import os
import shutil
import time
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import IO, Any

from sayso.errors import OutputError, RunError
from sayso.studies.archive.answers import Answered
from sayso.system.claims import locked_folder
from sayso.system.files import atomic_path, output_errors, parse_json, read_json, write_json

__all__ = ["Unfinished", "open_unfinished", "read_answers", "write_answers"]

_FORMAT_VERSION = 1
_SYNC_SECONDS = 5.0
_MODEL = "model_sha256"


@dataclass
class Unfinished:
    """The answers so far.

    Attributes:
        folder: where they are kept.
        total: how many files there are.
        done: how many of them are answered, the first ones.
    """

    folder: Path
    total: int
    done: int
    _file: IO[str]
    _synced: float = field(default_factory=time.monotonic)

    def left(self) -> Iterator[str]:
        """Yield the files that are still to be answered."""
        return islice(_read_files(self.folder), self.done, None)

    def add(self, some: Iterable[Answered]) -> None:
        """Keep the next answers; raises OutputError where there is no room for them."""
        with output_errors(self.folder):
            for one in some:
                self._file.write(_line(one))
                self.done += 1
            self._file.flush()
            if time.monotonic() - self._synced > _SYNC_SECONDS:
                os.fsync(self._file.fileno())
                self._synced = time.monotonic()

    def answers(self) -> Iterator[Answered]:
        """Yield all answers, in order."""
        return (one for one, _ in read_answers(_answers_file(self.folder)))

    def remove(self) -> None:
        """Remove the folder: the table is written."""
        with output_errors(self.folder):
            shutil.rmtree(self.folder)


@contextmanager
def open_unfinished(out: Path, asked: Mapping[str, Any], files: Iterable[str], *, batch: int) -> Generator[Unfinished]:
    """Begin to answer an archive, or go on; nobody else writes there while the block runs.

    Args:
        out: the table that is wanted.
        asked: what the answers hang on, as values that JSON can hold.
        files: paths, listed where this is a beginning.
        batch: how many files are answered together; going on begins where a batch does, so that every answer is to the
            last bit what it would have been.

    Raises:
        OutputError: the table is there already, or the place cannot be written.
        RunError: it was begun in another way, or another command is at it.
    """
    folder = out.with_name(f"{out.name}.unfinished")
    if out.exists() and not folder.exists():
        raise OutputError(f"{out} is there already, nothing was changed; choose another --out, or remove it first")
    with output_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with locked_folder(folder):
        if _asked_file(folder).exists():
            _refuse_other(folder, asked)
        else:
            _begin(folder, asked, files)
        with _files_file(folder).open("rb") as listed:
            total = sum(1 for _ in listed)
        done = _cut_to_whole_batches(folder, batch)
        with output_errors(folder):
            file = _answers_file(folder).open("a", encoding="utf-8")
        try:
            yield Unfinished(folder, total, done, file)
        finally:
            with output_errors(folder):  # what a full disk refused before is tried once more
                file.close()


def _begin(folder: Path, asked: Mapping[str, Any], files: Iterable[str]) -> None:
    try:
        with atomic_path(_files_file(folder)) as temporary, temporary.open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(path) + "\n" for path in files)
        write_json(_asked_file(folder), {"format_version": _FORMAT_VERSION, **asked})
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _refuse_other(folder: Path, asked: Mapping[str, Any]) -> None:
    mend = f"go on as it was begun, choose another --out, or remove {folder} to begin anew"
    try:
        before = dict(read_json(_asked_file(folder)))
    except (OSError, ValueError, TypeError) as error:
        raise RunError(f"{folder}: damaged; remove it to begin anew") from error
    now = {"format_version": _FORMAT_VERSION} | parse_json(json.dumps(asked))
    if before.get(_MODEL) != now.get(_MODEL):
        ours, theirs = (str(each.get(_MODEL))[:12] for each in (now, before))
        raise RunError(f"{folder}: begun with another model (SHA-256 {theirs}..., this one is {ours}...); {mend}")
    for key in now.keys() | before.keys():
        if before.get(key) != now.get(key):
            raise RunError(f"{folder}: begun with {key} {before.get(key)}, asked is {now.get(key)}; {mend}")


def _cut_to_whole_batches(folder: Path, batch: int) -> int:
    """Cut the answers behind the last whole batch, or where they are damaged; gives how many are left."""
    end = kept = 0
    pairs = zip(read_answers(_answers_file(folder)), _read_files(folder), strict=False)
    for done, ((one, place), path) in enumerate(pairs, start=1):
        if one.file != path:
            break
        if done % batch == 0:
            kept, end = done, place
    if _answers_file(folder).exists():
        with output_errors(folder):
            os.truncate(_answers_file(folder), end)
    return kept


def _read_files(folder: Path) -> Iterator[str]:
    with _files_file(folder).open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def write_answers(path: Path, some: Iterable[Answered]) -> None:
    """Write answers to a file of their own, whole or not at all; raises OutputError where it cannot be."""
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        file.writelines(map(_line, some))


def read_answers(path: Path) -> Iterator[tuple[Answered, int]]:
    """Yield each answer with the place of its end in the file, as far as that is there and whole."""
    if not path.exists():
        return
    with path.open("rb") as file:
        end = 0
        for line in file:
            end += len(line)
            try:
                one = _answered(json.loads(line)) if line.endswith(b"\n") else None
            except (ValueError, TypeError):  # the power went while it was written
                return
            if one is None:
                return
            yield one, end


def _line(one: Answered) -> str:
    return json.dumps((one.file, one.rows, one.remark, one.error)) + "\n"


def _answered(values: Any) -> Answered:
    file, rows, remark, error = values
    return Answered(file, tuple(map(tuple, rows)), remark, error)


def _asked_file(folder: Path) -> Path:
    return folder / "asked.json"


def _files_file(folder: Path) -> Path:
    return folder / "files.jsonl"


def _answers_file(folder: Path) -> Path:
    return folder / "answers.jsonl"
