"""A process that does one job after the other: a job as JSON on standard input, an answer on standard output.

It ends at once, in the middle of a job if need be, when whoever started it is gone: its standard input is closed then.
"""

import json
import os
import queue
import sys
import threading
import traceback
from pathlib import Path
from typing import Any, TextIO

from sayso.errors import SaysoError
from sayso.studies.executors.job import Job, do_job

__all__ = ["main"]


def main() -> None:
    """Answer `{"folder": ..., "job": ...}` lines with `{"error": ..., "in_log": ...}` lines.

    `error` is empty where all went well; `in_log` says whether more of it was printed.
    """
    # Whatever else is printed goes to the log, not among the answers.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    asked: queue.Queue[str] = queue.Queue()
    threading.Thread(target=_listen, args=(sys.stdin, asked), daemon=True).start()
    while True:
        answers.write(json.dumps(_answer(json.loads(asked.get()))) + "\n")
        answers.flush()


def _listen(source: TextIO, asked: queue.Queue[str]) -> None:
    for line in source:
        asked.put(line)
    os._exit(0)


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    try:
        do_job(Job(**request["job"]), Path(request["folder"]))
    except SaysoError as error:
        return {"error": str(error), "in_log": False}
    except Exception as error:  # a fault of this program or of a part from outside: the other jobs go on
        traceback.print_exc()
        return {"error": f"{type(error).__name__}: {error}".replace("\n", " "), "in_log": True}
    return {"error": "", "in_log": False}


if __name__ == "__main__":
    main()
