"""Reads mutated files one after the other, in a process that may die of one.

    PYTHONPATH=tests python -m fuzz.fuzz_worker TARGET SEED FIRST COUNT FOLDER

Prints a line before and a line after each case, so that whoever started it knows which one it died of. With a COUNT of
1 a fault is raised with its traceback, and the file stays in FOLDER.
"""

import os
import resource
import sys
import traceback
import warnings
from pathlib import Path

import sayso.errors
from fuzz.target import make_case
from fuzz.targets import open_target

# What no reading of a small file may need; torch alone maps some of it.
_MOST_BYTES = 6 << 30


def main() -> None:
    """Read the command line, then the files."""
    name, seed, first, count, folder = sys.argv[1], *map(int, sys.argv[2:5]), Path(sys.argv[5])
    folder.mkdir(parents=True, exist_ok=True)
    # Libraries print what they think of a file; their lines must not get between ours.
    ours = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    os.environ["SAYSO_CACHE"] = str(folder / "cache")
    target = open_target(name)
    originals = target.make(folder)
    path = folder / target.name
    for content in originals:
        path.write_bytes(content)
        target.read(path)
    resource.setrlimit(resource.RLIMIT_AS, (_MOST_BYTES, _MOST_BYTES))
    # As pytest has it: a warning that a person cannot mend is a fault.
    warnings.simplefilter("error")
    warnings.simplefilter("default", sayso.errors.SoundWarning)
    for number in range(first, first + count):
        path.unlink()
        path.write_bytes(make_case(target, originals, seed, number))
        print("case", number, file=ours, flush=True)
        try:
            target.read(path)
        except sayso.errors.SaysoError as error:
            outcome = _describe(error)
        except BaseException as error:
            if count == 1:
                raise
            where = traceback.extract_tb(error.__traceback__)[-1]
            outcome = (
                f"fault {type(error).__name__} in {Path(where.filename).name}:{where.lineno}: {str(error)[:200]!r}"
            )
        else:
            outcome = "read"
        print(outcome, file=ours, flush=True)


def _describe(error: sayso.errors.SaysoError) -> str:
    """Say that a file was refused; by a line that a terminal cannot show, it was not refused clearly."""
    text = str(error)
    if "\n" in text or not text or text.encode(errors="replace").decode() != text:
        return f"fault unclear {type(error).__name__}: {text[:200]!r}"
    return "refused"


if __name__ == "__main__":
    main()
