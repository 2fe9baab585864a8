"""`predict_archive`: a model and any number of sound files in, a table of answers out."""

import os
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from sayso.data.packing import count_workers
from sayso.errors import InterruptedRunError
from sayso.studies.archive.answers import Answered, Answers, Column
from sayso.studies.archive.pieces import answer_pieces
from sayso.studies.archive.sources import find_files
from sayso.studies.archive.tables import check_table, write_table
from sayso.studies.archive.unfinished import Unfinished, open_unfinished
from sayso.studies.executors.job import Executor
from sayso.system.files import check_writable
from sayso.system.progress import Progress, Task
from sayso.system.wording import counted

__all__ = ["Archived", "predict_archive"]


@dataclass(frozen=True)
class Archived:
    """What was written."""

    table: Path
    files: int
    """How many there are; each has a row, or several where words are spotted."""
    failed: int
    """How many could not be used; their rows say why."""
    labels: Counter[str | None]
    """How many rows name which word first; None: none of these."""


def predict_archive(
    sources: Sequence[str | Path],
    answers: Answers,
    *,
    out: Path,
    executor: Executor | None = None,
    progress: Progress | None = None,
    failed: Callable[[Answered], None] | None = None,
) -> Archived:
    """Answer on every sound file of an archive, and write the answers as a table.

    Files are decoded and scored by as many threads as there are cores, or in pieces by an executor. Whatever ends it
    before the table is written, the same call goes on where it stopped, and the table is the same.

    Args:
        sources: as `find_files`. They are listed once: what is added while this goes on is left out.
        answers: what is asked.
        out: the table, `.parquet`, `.csv` or `.jsonl`; its columns are `file`, those of the answers, `remark` and
            `error`.
        executor: does the pieces, where the recordings lie under the same paths; None: this process does all.
        progress: where to report.
        failed: called with each file that cannot be used.

    Raises:
        DataError: a source names no sound file.
        OutputError: the table is there already, or cannot be written.
        RunError: the answering was begun by another model or in another way, or the executor could not do a piece.
        MissingExtraError: Parquet is asked for, and its package is missing.
        ModelError: the model cannot be computed.
        InterruptedRunError: Ctrl-C; what is answered is kept.
    """
    reporting = progress or Progress()
    check_table(out)
    check_writable(out.parent)
    asked = answers.asked() | {"sources": [os.path.abspath(source) for source in sources]}  # noqa: PTH100 - links stay
    if not all(map(os.path.isabs, sources)):
        asked["working_folder"] = str(Path.cwd())  # where the files' paths lead on from
    with open_unfinished(out, asked, find_files(sources, reporting), batch=answers.batch) as unfinished:
        if unfinished.done:
            reporting.note(f"going on after {unfinished.done:,} of {counted(unfinished.total, 'file')}")
        try:
            with reporting.task("answering", total=unfinished.total, unit="files") as task:
                here = _answer_here if executor is None else partial(answer_pieces, executor=executor)
                _keep_all(unfinished, here(unfinished, answers), task, failed)
        except KeyboardInterrupt as stop:
            kept = (
                f"{unfinished.done:,} of {counted(unfinished.total, 'file')} answered, and kept in {unfinished.folder}"
            )
            raise InterruptedRunError(f"stopped; {kept}; the same command goes on") from stop
        return _finish(unfinished, answers, out, asked)


def _keep_all(
    unfinished: Unfinished,
    answered: Generator[list[Answered]],
    task: Task,
    failed: Callable[[Answered], None] | None,
) -> None:
    task.advance(unfinished.done)
    with closing(answered):
        for some in answered:
            unfinished.add(some)
            task.advance(len(some))
            for one in some:
                if one.error and failed:
                    failed(one)


def _answer_here(unfinished: Unfinished, answers: Answers) -> Generator[list[Answered]]:
    left = unfinished.left()
    batches = iter(lambda: list(islice(left, answers.batch)), [])
    return _in_order(answers.answer, batches, workers=count_workers())


def _in_order(
    work: Callable[[list[str]], list[Answered]], batches: Iterable[list[str]], *, workers: int
) -> Generator[list[Answered]]:
    """Yield what becomes of each batch, in order, a few of them at work or waiting at any time.

    A thread decodes a batch and scores it: both work outside Python's lock, and no core waits for another.
    """
    pool = ThreadPoolExecutor(workers)
    waiting: deque[Future[list[Answered]]] = deque()
    try:
        for batch in batches:
            waiting.append(pool.submit(work, batch))
            if len(waiting) > 2 * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _finish(unfinished: Unfinished, answers: Answers, out: Path, asked: dict[str, Any]) -> Archived:
    failed = 0
    labels: Counter[str | None] = Counter()
    empty = (None,) * len(answers.columns)

    def rows() -> Iterator[tuple[Any, ...]]:
        nonlocal failed
        for one in unfinished.answers():
            failed += bool(one.error)
            labels.update(row[0] for row in one.rows)
            yield from ((one.file, *row, one.remark, one.error) for row in one.rows or (empty,))

    columns = (Column("file", str), *answers.columns, Column("remark", str), Column("error", str))
    write_table(out, columns, rows(), asked)
    unfinished.remove()
    return Archived(out, unfinished.total, failed, labels)
