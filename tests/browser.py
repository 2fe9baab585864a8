"""Chromium with a fake microphone, for tests of pages; what is missing for it is said as the reason to skip."""

import os
import shutil
import threading
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from sayso.web.fetch import is_fetched

WAIT_SECONDS = 20
RATE = 48_000
_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-dev-shm-usage",
)


def why_no_browser() -> str:
    """Why pages cannot be opened here; empty where they can."""
    missing = [name for name in ("chromium", "chromedriver") if not shutil.which(name)]
    try:
        import selenium  # noqa: F401
    except ModuleNotFoundError:
        missing.append("selenium")
    return f"pages need {' and '.join(missing)}, not installed here" if missing else ""


def why_no_model() -> str:
    """Why pages cannot run a model here; empty where they can."""
    return why_no_browser() or (
        "" if is_fetched() else "pages need onnxruntime-web to run a model; `make web` fetches it"
    )


needs_browser = pytest.mark.skipif(bool(why_no_browser()), reason=why_no_browser())
needs_model_in_browser = pytest.mark.skipif(bool(why_no_model()), reason=why_no_model())


def write_fake_sound(path: Path, samples: np.ndarray, rate: int = RATE) -> None:
    """Write what the fake microphone plays, over and over; floats in [-1, 1]. A second of silence ends it."""
    whole = np.concatenate([samples, np.zeros(rate)])
    soundfile.write(path, whole, rate, subtype="PCM_16", format="WAV")


@contextmanager
def chromium(
    folder: Path,
    *,
    sound: Path | None = None,
    has_microphone: bool = True,
    refuses_microphone: bool = False,
    flags: Sequence[str] = (),
) -> Generator:
    """Open Chromium with a fresh profile; gives selenium's driver.

    Args:
        folder: for the profile.
        sound: WAV that the fake microphone plays; None: Chromium's own beeps.
        has_microphone: there is one at all.
        refuses_microphone: the page is not allowed to hear.
        flags: for Chromium, besides those it always gets.
    """
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    wanted = [*_FLAGS, *flags, f"--user-data-dir={folder / 'profile'}", "--window-size=1280,900"]
    wanted += ["--deny-permission-prompts" if refuses_microphone else "--use-fake-ui-for-media-stream"]
    wanted += ["--use-fake-device-for-media-stream"] if has_microphone else []
    wanted += [f"--use-file-for-fake-audio-capture={sound}"] if sound else []
    for flag in wanted:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = webdriver.ChromeService(shutil.which("chromedriver"), log_output=os.devnull)
    driver = webdriver.Chrome(options=options, service=service)
    try:
        driver.set_script_timeout(WAIT_SECONDS)
        yield driver
    finally:
        driver.quit()


@contextmanager
def served(folder: Path, *, port: int = 0, sent: dict[str, int] | None = None) -> Generator[str]:
    """Serve a folder as `python -m http.server` does; gives its address, with a slash at the end.

    Args:
        folder: with the files.
        port: 0: a free one.
        sent: how many bytes of each path were given out is added up here.
    """

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *arguments: Any) -> None:
            del arguments

        def copyfile(self, source: Any, outputfile: Any) -> None:
            if sent is not None:
                path = self.path.partition("?")[0]
                sent[path] = sent.get(path, 0) + os.fstat(source.fileno()).st_size
            super().copyfile(source, outputfile)

    server = ThreadingHTTPServer(("127.0.0.1", port), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://localhost:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def keep_downloads(driver, folder: Path) -> None:
    """Have what a page saves put into a folder."""
    driver.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(folder)})


def downloaded(folder: Path, pattern: str) -> Path:
    """Wait for all of the one file of such a name that a page saves: Chromium takes the name first, empty."""
    end = time.monotonic() + WAIT_SECONDS
    while not (there := [path for path in folder.glob(pattern) if path.stat().st_size]):
        assert time.monotonic() < end, f"no {pattern} was saved within {WAIT_SECONDS} s"
        time.sleep(0.05)
    [path] = there
    return path


def wait_for(driver, script: str, *, seconds: float = WAIT_SECONDS) -> Any:
    """Give what a script returns, once that is true for JavaScript."""
    from selenium.webdriver.support.ui import WebDriverWait

    return WebDriverWait(driver, seconds, poll_frequency=0.1).until(lambda driver: driver.execute_script(script))


def show_at(driver, width: int, height: int, *, dark: bool) -> None:
    """Look at a page as on a screen of so many pixels, in the dark or the light."""
    driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600},
    )
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
