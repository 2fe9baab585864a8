"""Photograph the report of a run for the site's home: `python docs/home_picture.py RUN` writes docs/report.png.

The run is the one that README.md begins with, `sayso train recipes/fsdd/quick.yaml --set training.seed=2 --out RUN`.
Chromium must be installed.
"""

import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image

PICTURE = Path(__file__).parent / "report.png"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
# Down to the matrix of confusions.
WIDTH, HEIGHT = 1000, 1995
COLOURS = 256


def main() -> int:
    """Write the picture of the run that is given."""
    if len(sys.argv) != 2 or not (report := Path(sys.argv[1], "report.html").resolve()).is_file():
        print("usage: python docs/home_picture.py RUN, a run's folder with its report.html")
        return 2
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        print(f"needs a browser, one of: {', '.join(BROWSERS)}")
        return 2
    with TemporaryDirectory() as folder:
        taken = Path(folder, "report.png")
        options = ["--headless", "--disable-gpu", "--hide-scrollbars", f"--window-size={WIDTH},{HEIGHT}"]
        # A report is a file of one's own, and containers have no room for the browser's sandbox.
        options += ["--no-sandbox", f"--user-data-dir={folder}/profile", f"--screenshot={taken}"]
        subprocess.run([browser, *options, report.as_uri()], check=True, capture_output=True, timeout=120)
        with Image.open(taken) as picture:
            few = picture.convert("RGB").quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
            few.save(PICTURE, optimize=True)
    print(f"{PICTURE.name}: {PICTURE.stat().st_size / 1000:.0f} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
