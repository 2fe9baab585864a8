"""The entry of the program `sayso`, by that name and as `python -m sayso`."""

import gc

from sayso.system.interrupts import forget_interrupts, keep_interrupts
from sayso.system.openmp import Moment, choose_waiting
from sayso.system.stack import call_with_room

__all__ = ["main"]

# Objects that are made, net, before the youngest are searched for garbage: by default 700, and the packages that a
# training loads make 700 thousand that all stay. Searching seldom loads them in three quarters of the time.
_MADE_BEFORE_A_SEARCH = 50_000


def main() -> None:
    """Look whether the machine has other work, while the program is loaded; run it, and end at once."""
    call_with_room(_main)


def _main() -> None:
    before = Moment.now()
    gc.set_threshold(_MADE_BEFORE_A_SEARCH)
    keep_interrupts()
    from sayso.cli import main as program

    choose_waiting(before)
    try:
        program()
    finally:
        forget_interrupts()
        # The interpreter would look for garbage among all that torch has made before it ends: a second, for nothing.
        gc.freeze()


if __name__ == "__main__":
    main()
