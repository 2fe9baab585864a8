"""Ctrl-C while packages are loaded: it waits until they are, since some of them would swallow it."""

import signal
from types import FrameType

__all__ = ["keep_interrupts"]

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
