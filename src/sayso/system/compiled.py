"""C that is compiled on the machine it runs on, for what libraries are slow at; whoever uses it can do without."""

import ctypes
import os
import shutil
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

__all__ = ["compiled", "find_compiler"]

_COMPILING = (
    *("-std=c99", "-O3", "-march=native", "-ffp-contract=fast", "-fno-math-errno", "-fno-trapping-math"),
    *("-fno-signed-zeros", "-fassociative-math", "-fPIC", "-c"),
)
"""Sums may be taken in another order, for wide registers; what is infinite or no number stays so."""
_LONGEST_SECONDS = 60


def find_compiler() -> tuple[str, ...] | None:
    """Find the command of the system's C compiler, in its words: `$CC`, `cc`, `gcc` or `clang`."""
    commands = (os.environ.get("CC", "").split(), ["cc"], ["gcc"], ["clang"])
    return next((tuple(words) for words in commands if words and all(map(shutil.which, words[:1]))), None)


@cache
def compiled(folder: Path, *defined: str) -> ctypes.CDLL | None:
    """Compile a folder's C for this very processor, and load it, once in a process; None where that cannot be done.

    It takes a second or two, and leaves no file behind: code for one processor would crash on another that finds it.
    Threads are those of the OpenMP that this process has loaded already (torch brings one): none wait for others.

    Args:
        folder: all files in C of it make one library.
        defined: macros that are defined for them.
    """
    compiler = find_compiler()
    sources = sorted(folder.resolve().glob("*.c"))
    if not compiler or not sources:
        return None
    for threads in (["-fopenmp"], []):  # where a compiler knows none, there is one thread
        compiling = [*compiler, *_COMPILING, *threads, *[f"-D{name}" for name in defined]]
        try:
            with tempfile.TemporaryDirectory() as place, ThreadPoolExecutor() as beside:
                for each in [beside.submit(_run, [*compiling, str(source)], place) for source in sources]:
                    each.result()
                library, objects = Path(place) / "library.so", [f"{source.stem}.o" for source in sources]
                _run([*compiler, "-shared", *objects, "-lm", "-o", str(library)], place)
                return ctypes.CDLL(str(library), mode=os.RTLD_NOW)
        except (OSError, AttributeError, subprocess.SubprocessError):
            continue
    return None


def _run(command: list[str], place: str) -> None:
    subprocess.run(command, cwd=place, check=True, capture_output=True, timeout=_LONGEST_SECONDS)
