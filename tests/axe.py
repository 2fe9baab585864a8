"""axe-core, which looks a page over for what keeps people out of it; fetched once, by npm, and checked by its hash."""

import base64
import hashlib
import shutil
import subprocess
import tarfile
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

__all__ = ["find_faults", "why_no_axe"]

_VERSION = "4.14.1"
_SHA512 = "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ=="
_FILE = Path(__file__).parent.parent / "build" / f"axe-core-{_VERSION}.js"
_SERIOUS = ("serious", "critical")
_FETCH_SECONDS = 60


@cache
def why_no_axe() -> str:
    """Why pages cannot be looked over; empty where they can."""
    if _FILE.is_file():
        return ""
    if not shutil.which("npm"):
        return "axe-core is fetched by npm, which is not installed"
    with TemporaryDirectory() as name:
        command = ["npm", "pack", f"axe-core@{_VERSION}", "--silent", "--pack-destination", name]
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=_FETCH_SECONDS, cwd=name)
        except (subprocess.SubprocessError, OSError):
            return "axe-core cannot be fetched from npm's registry"
        [archive] = Path(name).glob("*.tgz")
        assert base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode() == _SHA512
        with tarfile.open(archive) as file:
            script = file.extractfile("package/axe.min.js")
            assert script
            content = script.read()
        _FILE.parent.mkdir(exist_ok=True)
        kept = Path(name) / "axe.js"
        kept.write_bytes(content)
        shutil.move(kept, _FILE)
    return ""


def find_faults(driver: "Chrome") -> list[str]:
    """Name the serious faults of the page that is shown, frames aside, each with what it is about."""
    # Not as an element of the page, whose policy forbids scripts of elsewhere.
    driver.execute_script(_FILE.read_text(encoding="utf-8"))
    found = driver.execute_async_script(
        "const done = arguments[arguments.length - 1];"
        "const failed = (error) => done([{ id: 'axe fails', impact: 'critical', nodes: [{ html: String(error) }] }]);"
        "axe.run(document, { iframes: false }).then((result) => done(result.violations), failed);"
    )
    return [
        f"{each['id']} ({each['impact']}): {each['nodes'][0]['html']}" for each in found if each["impact"] in _SERIOUS
    ]
