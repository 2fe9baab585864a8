"""A studio that is asked without a browser, as its own page would ask."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import numpy as np
from starlette.testclient import TestClient

from conftest import write_tones
from sayso.http.address import Address
from sayso.studio.app import Studio, make_app
from sayso.studio.guard import Guard, Keys

OWN = "http://127.0.0.1:8765"
RATE = 48_000


def make_studio(
    folder: Path, *, tell: Callable[[str], object] = lambda text: None, raises: bool = True
) -> tuple[Studio, TestClient]:
    """A studio of `folder/clips` and `folder/runs`, and its own page; whether that raises what fails in the studio."""
    keys = Keys()
    studio = Studio(folder / "clips", folder / "runs", tell)
    app = Guard(make_app(studio), address=Address("127.0.0.1", 8765), keys=keys)
    headers = {"origin": OWN, "cookie": f"sayso-studio-8765={keys.session}"}
    return studio, TestClient(app, base_url=OWN, headers=headers, raise_server_exceptions=raises)


def make_studio_of_tones(folder: Path) -> tuple[Studio, TestClient]:
    """A studio over tones of four speakers, and its own page."""
    for file in write_tones(folder / "tones").glob("*/*.wav"):
        speaker, place = file.stem.split("_")
        (folder / "clips" / file.parent.name / speaker).mkdir(parents=True, exist_ok=True)
        shutil.copy(file, folder / "clips" / file.parent.name / speaker / f"{place}.wav")
    return make_studio(folder)


def word(hertz: float = 300.0, *, level: float = 0.3, seconds: float = 2.0, rate: int = RATE) -> np.ndarray:
    """A tone amid silence, float32."""
    time = np.arange(round(seconds * rate)) / rate
    return (level * np.sin(2 * np.pi * hertz * time) * np.exp(-(((time - seconds / 2) / 0.15) ** 2))).astype("<f4")


def told(**facts: object) -> dict[str, str]:
    """The header that says what a sound is."""
    return {"x-sayso-clip": quote(json.dumps(facts))}


def send(page, samples, *, word="yes", speaker="Ann", rate=RATE, **more):
    """Record as the page does."""
    body = samples.tobytes() if isinstance(samples, np.ndarray) else samples
    return page.post("/api/clips", content=body, headers=told(word=word, speaker=speaker, sample_rate=rate, **more))


def drop(page, content: bytes, name: str, *, word="yes", speaker="Ann"):
    """Drop a file as the page does."""
    return page.post("/api/files", content=content, headers=told(word=word, speaker=speaker, name=name))
