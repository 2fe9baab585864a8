"""The entry of the program `sayso`, by that name and as `python -m sayso`."""

from sayso.system.openmp import Moment, choose_waiting

__all__ = ["main"]


def main() -> None:
    """Look whether the machine has other work, while the program is loaded; then run it."""
    before = Moment.now()
    from sayso.cli import main as program

    choose_waiting(before)
    program()


if __name__ == "__main__":
    main()
