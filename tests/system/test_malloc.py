import subprocess
import sys

import pytest

from sayso.system.malloc import keep_freed_memory

FAULTS = """
import resource, sys
import numpy as np
from sayso.system.malloc import keep_freed_memory

assert sys.argv[1] == "as it is" or keep_freed_memory()
np.ones(8_000_000)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
np.ones(8_000_000)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def page_faults(how: str) -> int:
    """Of an array of 61 MiB, made after another one like it was freed."""
    done = subprocess.run([sys.executable, "-c", FAULTS, how], capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.skipif(not keep_freed_memory(), reason="needs glibc")
def test_a_second_array_takes_the_first_ones_pages() -> None:
    assert page_faults("kept") < page_faults("as it is") / 2
