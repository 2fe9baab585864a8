"""`python -m benchmarks.avx2 MODULE [ARGUMENTS...]`: run a module on an onnxruntime that sees AVX2 alone.

onnxruntime asks the processor what it has, and no switch hides any of it. So each such instruction (`cpuid`) in a copy
of its library is replaced by a trap, and what answers the trap leaves out AVX-512, AMX and VNNI. For x86 on Linux with
gcc and binutils; nothing of the installed package is changed. The processor keeps its name.

    python -m benchmarks.avx2 benchmarks int8
    python -m benchmarks.avx2 sayso export RUN --int8
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import onnxruntime

_CPUID, _TRAP = b"\x0f\xa2", b"\xcc\x90"
# Leaf 7 of cpuid: https://en.wikipedia.org/wiki/CPUID#EAX=7,_ECX=0:_Extended_Features. Bits of AVX-512, AMX and VNNI.
_HANDLER = r"""
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <ucontext.h>

static void answer(int number, siginfo_t *info, void *context) {
    greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
    uint32_t leaf = registers[REG_RAX], subleaf = registers[REG_RCX], a, b, c, d;
    __asm__ volatile("cpuid" : "=a"(a), "=b"(b), "=c"(c), "=d"(d) : "a"(leaf), "c"(subleaf));
    if (leaf == 7 && subleaf == 0) {
        b &= ~(1u << 16 | 1u << 17 | 1u << 21 | 1u << 26 | 1u << 27 | 1u << 28 | 1u << 30 | 1u << 31);
        c &= ~(1u << 1 | 1u << 6 | 1u << 11 | 1u << 12 | 1u << 14);
        d &= ~(1u << 2 | 1u << 3 | 1u << 8 | 1u << 22 | 1u << 23 | 1u << 24 | 1u << 25);
    }
    if (leaf == 7 && subleaf == 1) {
        a &= ~(1u << 4 | 1u << 5 | 1u << 23);
        d &= ~(1u << 4 | 1u << 10);
    }
    registers[REG_RAX] = a, registers[REG_RBX] = b, registers[REG_RCX] = c, registers[REG_RDX] = d;
}

__attribute__((constructor)) static void begin(void) {
    struct sigaction action = {0};
    action.sa_sigaction = answer;
    action.sa_flags = SA_SIGINFO | SA_NODEFER;
    sigaction(SIGTRAP, &action, 0);
}
"""


def main() -> None:
    """Make the copy, run the module, end with its exit code."""
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory(prefix="sayso-avx2-") as name:
        folder = Path(name)
        copy = shutil.copytree(Path(onnxruntime.__file__).parent, folder / "onnxruntime")
        for library in (copy / "capi").glob("onnxruntime_pybind11_state*.so"):
            _lay_traps(library)
        (folder / "answer.c").write_text(_HANDLER, encoding="utf-8")
        made = str(folder / "answer.so")
        subprocess.run(["gcc", "-O1", "-shared", "-fPIC", "-o", made, str(folder / "answer.c")], check=True)
        path = os.pathsep.join((str(folder), *filter(None, [os.environ.get("PYTHONPATH")])))
        environment = os.environ | {"LD_PRELOAD": made, "PYTHONPATH": path}
        sys.exit(subprocess.run([sys.executable, "-m", *sys.argv[1:]], env=environment).returncode)


def _lay_traps(library: Path) -> None:
    content = bytearray(library.read_bytes())
    segments = list(_segments(library))
    for address in _addresses(library):
        start, offset, _ = next(each for each in segments if each[0] <= address < each[0] + each[2])
        place = address - start + offset
        if content[place : place + 2] != _CPUID:
            raise RuntimeError(f"{library.name}: no cpuid at {address:#x}")
        content[place : place + 2] = _TRAP
    library.write_bytes(content)


def _addresses(library: Path) -> Iterator[int]:
    for line in _told("objdump", "-d", "--no-show-raw-insn", str(library)):
        if re.search(r"\tcpuid\b", line):
            yield int(line.partition(":")[0], 16)


def _segments(library: Path) -> Iterator[tuple[int, int, int]]:
    """Address, place in the file and length of each part that is loaded."""
    for line in _told("readelf", "-lW", str(library)):
        if (words := line.split()) and words[0] == "LOAD":
            yield int(words[2], 16), int(words[1], 16), int(words[4], 16)


def _told(*command: str) -> list[str]:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


if __name__ == "__main__":
    main()
