"""The entry of the program `sayso`, by that name and as `python -m sayso`."""

import gc

from sayso.system.interrupts import keep_interrupts
from sayso.system.openmp import Moment, choose_waiting

__all__ = ["main"]


def main() -> None:
    """Look whether the machine has other work, while the program is loaded; run it, and end at once."""
    before = Moment.now()
    keep_interrupts()
    from sayso.cli import main as program

    choose_waiting(before)
    try:
        program()
    finally:
        # The interpreter would look for garbage among all that torch has made before it ends: a second, for nothing.
        gc.freeze()


if __name__ == "__main__":
    main()
