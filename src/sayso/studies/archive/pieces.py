"""An archive in pieces: answered wherever an executor does jobs, put together here in order.

A piece lies below what is unfinished, in the folder `pieces`, until it is its turn. A kill costs those alone that were
being answered.
"""

import os
import shutil
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from sayso.audio import printable
from sayso.errors import RunError
from sayso.runtime import Recognizer
from sayso.studies.archive.answers import Answered, Answers, answers_as_asked
from sayso.studies.archive.unfinished import Unfinished, read_answers, write_answers
from sayso.studies.executors.job import Executor, Job, name_of
from sayso.system.files import output_errors, read_json, write_json

__all__ = ["answer_piece", "answer_pieces"]

# Batches of clips of a piece: what it takes to open the model is little beside them, and a kill costs no more than some
# seconds. Of files of any length each is a piece.
_BATCHES = 32
_ANSWERS, _MISSING = "answers.jsonl", "missing.json"


def answer_pieces(unfinished: Unfinished, answers: Answers, executor: Executor) -> Generator[list[Answered]]:
    """Yield the answers on all files that are left, piece by piece in order; whoever gets them keeps them.

    Args:
        unfinished: what is done so far; between two pieces it has grown by the one before.
        answers: what is asked; an executor makes its like where it answers.
        executor: does the jobs, with the recordings under the same paths.

    Raises:
        RunError: a piece could not be answered, or not all recordings are where it was. What is answered is kept.
        OutputError: the place cannot be written.
    """
    folder, size = unfinished.folder / "pieces", _BATCHES * answers.batch if answers.batch > 1 else 1
    with output_errors(folder):
        folder.mkdir(exist_ok=True)
        _remove_unusable(folder, _cut(unfinished.left(), unfinished.done, size))
    jobs = (
        _job(answers, _name(start), files)
        for start, files in _cut(unfinished.left(), unfinished.done, size)
        # Of an earlier call some are there, and others were put in place meanwhile.
        if start >= unfinished.done and not (folder / _name(start) / _ANSWERS).is_file()
    )
    with closing(executor.run(jobs, folder)) as outcomes:
        for outcome in outcomes:
            if outcome.error:
                raise RunError(_stopped(unfinished, outcome.error))
            yield from _in_turn(unfinished, folder)
    yield from _in_turn(unfinished, folder)


def answer_piece(values: dict[str, Any], folder: Path) -> None:
    """Answer on the files of a job, in the batches that they would have without pieces.

    Raises:
        RunError: the model is not the one that was asked.
        ModelError: it cannot be computed.
    """
    model = values["needs"][values["model"]]
    answers = answers_as_asked(Recognizer(model, threads=1), values["asked"])
    if answers.asked() != values["asked"]:
        raise RunError(f"{model}: was changed while the archive was answered; begin anew")
    files = [(name, os.path.join(values["place"], name)) for name in values["files"]]  # noqa: PTH118 - as it is named
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / _MISSING, {"files": [name for name, path in files if not _is_readable(path)]})
    write_answers(folder / _ANSWERS, _answered(answers, files))


def _answered(answers: Answers, files: list[tuple[str, str]]) -> Iterator[Answered]:
    waiting = iter(files)
    while some := list(islice(waiting, answers.batch)):
        for (name, path), one in zip(some, answers.answer([path for _, path in some]), strict=True):
            said = one.error and one.error.replace(printable(path), printable(name))  # as errors write names
            yield replace(one, file=name, error=said)


def _is_readable(path: str) -> bool:
    """Whether it is there, at the end of links, and may be read here."""
    return os.access(path, os.R_OK)


def _job(answers: Answers, name: str, files: list[str]) -> Job:
    values = {"files": files, "place": str(Path.cwd()), "asked": answers.asked(), "model": answers.files[0].name}
    needs = {path.name: str(path) for path in answers.files}
    return Job(name, name_of(answer_piece), values, (_ANSWERS, _MISSING), needs=needs)


def _cut(files: Iterator[str], start: int, size: int) -> Iterator[tuple[int, list[str]]]:
    """Yield each piece and the place of its first file; they begin at multiples of `size`, but for the first."""
    while some := list(islice(files, size - start % size)):
        yield start, some
        start += len(some)


def _remove_unusable(folder: Path, pieces: Iterable[tuple[int, list[str]]]) -> None:
    """Leave only the pieces of an earlier call that are still to come, and whole."""
    left = {each.name for each in folder.iterdir()}
    if left:
        for start, files in pieces:
            if _name(start) in left and _is_whole(folder / _name(start), files):
                left.remove(_name(start))
    for name in left:
        shutil.rmtree(folder / name)


def _is_whole(piece: Path, files: list[str]) -> bool:
    there = [one.file for one, _ in read_answers(piece / _ANSWERS)]
    return there == files and (piece / _MISSING).is_file()


def _in_turn(unfinished: Unfinished, folder: Path) -> Iterator[list[Answered]]:
    """Yield the pieces that come next, as far as they are there."""
    while (piece := folder / _name(unfinished.done)).joinpath(_ANSWERS).is_file():
        elsewhere = [name for name in read_json(piece / _MISSING)["files"] if _is_readable(name)]
        if elsewhere:
            with output_errors(piece):
                shutil.rmtree(piece)
            problem = f"{elsewhere[0]} is here, and was not where it was to be answered; give every node the recordings"
            raise RunError(_stopped(unfinished, f"{problem} under the same paths"))
        yield [one for one, _ in read_answers(piece / _ANSWERS)]
        with output_errors(piece):
            shutil.rmtree(piece)


def _stopped(unfinished: Unfinished, problem: str) -> str:
    done = f"{unfinished.done:,} of {unfinished.total:,} files are answered and kept"
    return f"{problem} ({done}; the same command goes on)"


def _name(start: int) -> str:
    return f"{start:012}"
