"""A process that trains trials one after the other: a trial as JSON on standard input, an answer on standard output.

It ends at once, in the middle of a trial if need be, when whoever started it is gone: its standard input is closed.
"""

import json
import os
import queue
import sys
import threading
import traceback
from pathlib import Path
from typing import TextIO

from sayso.errors import SaysoError
from sayso.studies.trials.trial import Trial, train_trial

__all__ = ["main"]


def main() -> None:
    """Answer `{"folder": ..., "trial": ...}` lines with `{"error": ...}` lines, empty where all went well."""
    # Whatever else is printed goes to the log, not among the answers.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    asked: queue.Queue[str] = queue.Queue()
    threading.Thread(target=_listen, args=(sys.stdin, asked), daemon=True).start()
    while True:
        request = json.loads(asked.get())
        answers.write(json.dumps({"error": _train(request)}) + "\n")
        answers.flush()


def _listen(source: TextIO, asked: queue.Queue[str]) -> None:
    for line in source:
        asked.put(line)
    os._exit(0)


def _train(request: dict[str, object]) -> str:
    values = request["trial"]
    assert isinstance(values, dict)
    try:
        train_trial(Trial(**values), Path(str(request["folder"])))
    except SaysoError as error:
        return str(error)
    except Exception as error:  # a fault of this program or of a part from outside: the other trials go on
        traceback.print_exc()
        return f"{type(error).__name__}: {error} (the whole story is in workers.log)".replace("\n", " ")
    return ""


if __name__ == "__main__":
    main()
