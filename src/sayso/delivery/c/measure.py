"""What a program in C costs, and whether it answers as its model does: compiled and run on this machine."""

import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from sayso.errors import ModelError
from sayso.system.compiled import find_compiler

__all__ = ["Measured", "measure"]

_PARTS = ("sayso.c", "sayso_model.c", "sayso_words.c")
_FLAGS = ("-std=c99", "-Os")
_LONGEST_SECONDS = 600


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
        sources = [str(folder.resolve() / name) for name in _PARTS]
        _run([*compiler, *_FLAGS, "-fstack-usage", "-c", *sources], made)
        objects = sorted(path.name for path in made.glob("*.o"))
        _run([*compiler, *_FLAGS, "-o", "check", str(folder.resolve() / "check.c"), *objects, "-lm"], made)
        told = _run([str(made / "check")], made)
        rows = [line.split() for line in _run([size, *objects], made).splitlines()[1:]]
        text, data, bss = (sum(int(row[column]) for row in rows) for column in range(3))
        stacks = [line.split("\t") for path in made.glob("*.su") for line in path.read_text().splitlines()]
    found = re.search(r"differ by (\S+),", told)
    assert found
    # No function calls itself, so that no chain of calls takes more than all of them.
    stack = sum(int(fields[1]) for fields in stacks) if stacks else None
    return Measured(text + data, data + bss, stack, float(found[1]))


def _run(command: list[str], folder: Path) -> str:
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=_LONGEST_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ModelError(f"{command[0]} cannot be run on the C that was made: {error}") from error
    if done.returncode:
        said = (done.stdout + done.stderr).strip().splitlines() or ["it says nothing"]
        raise ModelError(f"the C that was made fails at {Path(command[0]).name}: {said[0]}; please report the recipe")
    return done.stdout
