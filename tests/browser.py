"""Chromium with a fake microphone, for tests of pages; what is missing for it is said as the reason to skip."""

import shutil
import wave
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

WAIT_SECONDS = 20
RATE = 48_000


def why_no_browser() -> str:
    """Why pages cannot be opened here; empty where they can."""
    missing = [name for name in ("chromium", "chromedriver") if not shutil.which(name)]
    try:
        import selenium  # noqa: F401
    except ModuleNotFoundError:
        missing.append("selenium")
    return f"pages need {' and '.join(missing)}, not installed here" if missing else ""


def write_fake_sound(path: Path, samples: np.ndarray, rate: int = RATE) -> None:
    """Write what the fake microphone plays, over and over; floats in [-1, 1]. A second of silence ends it."""
    whole = np.concatenate([samples, np.zeros(rate)])
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.clip(np.rint(whole * 32767), -32768, 32767).astype("<i2").tobytes())


@contextmanager
def chromium(folder: Path, *, sound: Path | None = None, refuses_microphone: bool = False) -> Generator:
    """Open Chromium with a fresh profile; gives selenium's driver.

    Args:
        folder: for the profile.
        sound: WAV that the fake microphone plays; None: Chromium's own beeps.
        refuses_microphone: the page is not allowed to hear.
    """
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    flags += ["--use-fake-device-for-media-stream", f"--user-data-dir={folder / 'profile'}", "--window-size=1280,900"]
    flags += ["--deny-permission-prompts" if refuses_microphone else "--use-fake-ui-for-media-stream"]
    flags += [f"--use-file-for-fake-audio-capture={sound}"] if sound else []
    for flag in flags:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))
    try:
        driver.set_script_timeout(WAIT_SECONDS)
        yield driver
    finally:
        driver.quit()


def show_at(driver, width: int, height: int, *, dark: bool) -> None:
    """Look at a page as on a screen of so many pixels, in the dark or the light."""
    driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600},
    )
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
