"""Chromium, as tests open pages in it: a fresh profile, a microphone that plays a file, a server for it alone."""

import os
import shutil
import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from sayso.web.fetch import is_fetched

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

__all__ = [
    "WHY_NO_CHROMIUM",
    "WHY_NO_MODEL",
    "needs_chromium",
    "needs_model_in_chromium",
    "open_chromium",
    "serve_folder",
    "wait_for",
    "write_microphone",
]


def _find(*names: str) -> str | None:
    return next((found for name in names if (found := shutil.which(name))), None)


_CHROMIUM = _find("chromium", "chromium-browser", "google-chrome")
_DRIVER = _find("chromedriver")


def _what_lacks() -> str:
    try:
        import selenium  # noqa: F401
    except ModuleNotFoundError:
        return "selenium is not installed"
    lacking = [name for name, path in (("chromium", _CHROMIUM), ("chromedriver", _DRIVER)) if not path]
    return f"{' and '.join(lacking)} not installed" if lacking else ""


WHY_NO_CHROMIUM = _what_lacks()
"""Empty where pages can be tried."""
WHY_NO_MODEL = WHY_NO_CHROMIUM or ("" if is_fetched() else "onnxruntime-web is not here; `make web` fetches it")
"""Empty where pages can be tried that run a model."""
needs_chromium = pytest.mark.skipif(
    bool(WHY_NO_CHROMIUM), reason=f"pages are not tried in a browser: {WHY_NO_CHROMIUM}"
)
needs_model_in_chromium = pytest.mark.skipif(
    bool(WHY_NO_MODEL), reason=f"models are not run in a browser: {WHY_NO_MODEL}"
)
_ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-dev-shm-usage",
)
_MICROPHONE = ("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream")


@contextmanager
def open_chromium(
    microphone: Path | None = None, *, arguments: Sequence[str] = (), size: tuple[int, int] = (1280, 900)
) -> "Generator[Chrome]":
    """Open Chromium with a fresh profile.

    Args:
        microphone: a WAV that the fake microphone plays, again and again, from when it is opened; permission is given.
            None: there is no microphone.
        arguments: for Chromium, besides those it always gets.
        size: of the window, in pixels.
    """
    from selenium.webdriver import Chrome, ChromeOptions
    from selenium.webdriver.chrome.service import Service

    options = ChromeOptions()
    options.binary_location = str(_CHROMIUM)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    heard = (*_MICROPHONE, f"--use-file-for-fake-audio-capture={microphone}") if microphone else ()
    with TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        for argument in (
            *_ARGUMENTS,
            *heard,
            *arguments,
            f"--user-data-dir={profile}",
            "--window-size={},{}".format(*size),
        ):
            options.add_argument(argument)
        driver = Chrome(options, Service(str(_DRIVER), log_output=os.devnull))
        try:
            driver.set_script_timeout(60)
            yield driver
        finally:
            driver.quit()


@contextmanager
def serve_folder(folder: Path) -> Generator[str]:
    """Serve a folder as `python -m http.server` does; gives its address, with a slash at the end."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *arguments: Any) -> None:
            del arguments

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://localhost:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def wait_for(driver: "Chrome", script: str, *, seconds: float = 20) -> Any:
    """Give what a script returns, once that is true for JavaScript."""
    from selenium.webdriver.support.ui import WebDriverWait

    return WebDriverWait(driver, seconds, poll_frequency=0.1).until(lambda driver: driver.execute_script(script))


def write_microphone(path: Path, samples: NDArray[Any], sample_rate: int) -> Path:
    """Write what the fake microphone plays: 16 bits, one channel; it repeats, so end it in silence."""
    soundfile.write(path, np.asarray(samples), sample_rate, subtype="PCM_16", format="WAV")
    return path
