"""What a program in C costs, and whether it answers as its model does: compiled and run on this machine."""

import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from sayso.errors import ModelError
from sayso.system.compiled import find_compiler

__all__ = ["Measured", "measure", "stack_limit"]

_PARTS = ("sayso.c", "sayso_model.c", "sayso_words.c")
_FLAGS = ("-std=c99", "-Os")
_LONGEST_SECONDS = 600
# Half of what most shells give a program; and so much more for what calls it.
_USUAL_STACK = _BESIDE = 2**22


@dataclass(frozen=True)
class Measured:
    """What this machine's compiler makes of it, at -Os, libc left out."""

    flash_bytes: int
    """Program and constants."""
    static_bytes: int
    """What lies in memory all the time: what is heard, carried and handed on."""
    stack_bytes: int | None
    """At most so much more at a call; None where the compiler does not say."""
    max_abs_difference: float
    """Of logits, from those of onnxruntime."""


def measure(folder: Path) -> Measured | None:
    """Compile the source in a folder, run its check, and add up its sizes; None where there is no compiler or `size`.

    Raises:
        ModelError: it cannot be compiled, or answers otherwise than its model.
    """
    compiler, size = find_compiler(), shutil.which("size")
    if not compiler or not size:
        return None
    with tempfile.TemporaryDirectory() as place:
        made = Path(place)
        shutil.copytree(folder, made / "source")  # whatever the folder is called
        _run([*compiler, *_FLAGS, "-fstack-usage", "-c", *(f"source/{name}" for name in _PARTS)], made)
        objects = sorted(path.name for path in made.glob("*.o"))
        _run([*compiler, *_FLAGS, "-o", "check", "source/check.c", *objects, "-lm"], made)
        stacks = [line.split("\t") for path in made.glob("*.su") for line in path.read_text().splitlines()]
        # No function calls itself, so that no chain of calls takes more than all of them.
        stack = sum(int(fields[1]) for fields in stacks) if stacks else None
        told = _run(["sh", "-c", f"{_room(stack)}./check"], made)
        rows = [line.split() for line in _run([size, *objects], made).splitlines()[1:]]
        text, data, bss = (sum(int(row[column]) for row in rows) for column in range(3))
    found = re.search(r"differ by (\S+),", told)
    assert found
    return Measured(text + data, data + bss, stack, float(found[1]))


def stack_limit(stack_bytes: int | None) -> int | None:
    """Give the limit that a shell must set on the stack for calls that take so much, in kB; None: its usual one."""
    return None if stack_bytes is None or stack_bytes <= _USUAL_STACK else (stack_bytes + _BESIDE) // 1024


def _room(stack_bytes: int | None) -> str:
    limit = stack_limit(stack_bytes)
    return f"ulimit -s {limit} && " if limit else ""


def _run(command: list[str], folder: Path) -> str:
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=_LONGEST_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ModelError(f"{command[0]} cannot be run on the C that was made: {error}") from error
    if done.returncode:
        said = (done.stdout + done.stderr).strip().splitlines() or [f"it ends with code {done.returncode}"]
        raise ModelError(f"the C that was made fails at {Path(command[0]).name}: {said[0]}; please report the recipe")
    return done.stdout
