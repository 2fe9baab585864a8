"""Ctrl-C while packages are loaded waits until they are, since some would swallow it; other ends act as it does."""

import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType

__all__ = ["forget_interrupts", "interrupted_by_any_end", "keep_interrupts"]

_AGAIN_SECONDS = 0.05
_IMPORTING = "<frozen importlib"


def keep_interrupts() -> None:
    """Have an interrupt that comes while a module is imported act once that is done.

    Packages look for others inside `try` blocks, and call back from C code: an interrupt that is raised there may be
    lost, and a program that was asked to stop goes on. To be called in the main thread; where the system has no
    timers (Windows), or somebody handles interrupts already, nothing changes.
    """
    if hasattr(signal, "setitimer") and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _interrupt)
        signal.signal(signal.SIGALRM, _interrupt)


def forget_interrupts() -> None:
    """Drop an interrupt that still waits, as the program ends by itself: its timer would end it in another way."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, 0)


@contextmanager
def interrupted_by_any_end() -> Generator[None]:
    """Have a request to end (SIGTERM), and a terminal that is closed (SIGHUP), interrupt the block as Ctrl-C does.

    Where somebody handles or ignores them already, as `nohup` does, or in another thread than the main one, nothing
    changes.
    """
    known = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    is_main = threading.current_thread() is threading.main_thread()
    ours = [number for number in known if is_main and signal.getsignal(number) is signal.SIG_DFL]
    for number in ours:
        signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        for number in ours:
            signal.signal(number, signal.SIG_DFL)


def _interrupt(number: int, frame: FrameType | None) -> None:
    del number
    if _is_importing(frame):
        signal.setitimer(signal.ITIMER_REAL, _AGAIN_SECONDS)
    else:
        raise KeyboardInterrupt


def _is_importing(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename.startswith(_IMPORTING):
            return True
        frame = frame.f_back
    return False
