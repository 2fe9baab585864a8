"""What every test gets: a private cache, and small folders of made-up clips."""

import gc
import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Generator, Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import numpy as np
import pytest
import soundfile

if TYPE_CHECKING:
    from xdist.remote import Producer
    from xdist.scheduler import LoadFileScheduling

    from sayso.data.clips import Listing

# Machines are shared and noisy: an example that takes long is no fault of the code.
hypothesis.settings.register_profile("patient", deadline=None)
hypothesis.settings.load_profile("patient")

RATE = 16_000
TONES_HZ = {"high": 2400.0, "low": 300.0, "middle": 900.0}
SPEAKERS = ("ann", "bob", "cas", "dee")
_HAS_ROOM = pytest.StashKey[bool]()
# They wait for browsers, servers and other processes more than they compute.
_WAITING = (
    "tests/serve/",
    "tests/studies/trials/test_on_ray",
    "tests/studio/test_made_pages",
    "tests/studio/test_studio_page",
    "tests/studio/test_training_process",
    "tests/views/html/test_marks_page",
    "tests/web/",
)


def pytest_configure(config: pytest.Config) -> None:
    """Let all tests of a session share the graphs that were traced, whatever their caches are: each takes seconds."""
    if not hasattr(config, "workerinput"):
        os.environ["SAYSO_GRAPHS"] = tempfile.mkdtemp(prefix="sayso-graphs-")
        config.add_cleanup(lambda: shutil.rmtree(os.environ["SAYSO_GRAPHS"], ignore_errors=True))


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> object:
    """Run the tests with room on Python's stack: pytest's own frames are many."""
    if config.stash.get(_HAS_ROOM, False):
        return None
    config.stash[_HAS_ROOM] = True
    # Imported here, so that the shape checks still hook in when conftest is read.
    from sayso.system.stack import call_with_room

    return call_with_room(lambda: config.hook.pytest_cmdline_main(config=config))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Where several workers share the files, begin with those that wait, and mix the others."""
    if hasattr(config, "workerinput"):
        items.sort(
            key=lambda item: (
                not item.nodeid.startswith(_WAITING),
                hashlib.sha256(_unit(item.nodeid).encode()).digest(),
            )
        )


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: "Producer") -> "LoadFileScheduling | None":
    """Leave all files that wait to one worker: two that wait at a time leave a core with nothing to do."""
    if config.getoption("dist") != "loadfile":
        return None
    scheduling = import_module("xdist.scheduler").LoadFileScheduling(config, log)
    scheduling._split_scope = _unit
    return scheduling


def _unit(nodeid: str) -> str:
    """What one worker runs of its own: a file, or all that wait."""
    return "waiting" if nodeid.startswith(_WAITING) else nodeid.partition("::")[0]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests measured (`record_property`), whichever worker ran them."""
    reports = [each for kind in ("passed", "failed", "error") for each in terminalreporter.stats.get(kind, ())]
    measured = sorted({f"{name}: {value}" for each in reports for name, value in getattr(each, "user_properties", ())})
    if measured:
        terminalreporter.section("measured")
        terminalreporter.write("".join(f"{line}\n" for line in measured))


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Search for garbage seldom once all tests are known, and never among what they are made of."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000)
        gc.enable()


@pytest.fixture(scope="session", autouse=True)
def operators_described_once() -> Iterator[None]:
    """Keep what torch knows of ONNX's operators: it reads that anew for every graph, half the time of a small one."""
    registry = import_module("torch.onnx._internal.exporter._registration").ONNXRegistry
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "from_torchlib", staticmethod(cache(registry.from_torchlib)))
        yield


@pytest.fixture(autouse=True)
def private_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Point SAYSO_CACHE at an empty folder of this test alone."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("SAYSO_CACHE", str(folder))
    return folder


@pytest.fixture
def graphs(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep the graphs of this test in a folder of its own, as a machine does on which nothing was traced yet."""
    folder = tmp_path_factory.mktemp("kept") / "graphs"
    monkeypatch.setenv("SAYSO_GRAPHS", str(folder))
    monkeypatch.setattr("sayso.classifier.graph._traces", {})
    return folder


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Run the program in this process; gives exit code, standard output, standard error."""
    # However pytest was started, the program is not asked for by `python -m`.
    monkeypatch.setattr(sys.modules["__main__"], "__package__", None, raising=False)

    def run(*arguments: object) -> tuple[int, str, str]:
        from sayso import cli

        monkeypatch.setattr(sys, "argv", ["sayso", *map(str, arguments)])
        capsys.readouterr()
        code = 0
        try:
            cli.main()
        except SystemExit as end:
            code = int(end.code or 0)
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        return code, out, err

    return run


def one_line(err: str) -> str:
    """The line of the error, which must be the only one."""
    lines = [line for line in err.splitlines() if line.startswith("sayso: ")]
    assert len(lines) == 1, err
    return lines[0]


@pytest.fixture
def tone_folder(tmp_path: Path) -> Path:
    """36 clips, 3 words x 4 speakers x 3, as word/speaker_index.wav: tones far apart, with a little noise."""
    return write_tones(tmp_path / "tones")


@pytest.fixture
def listing(tone_folder: Path) -> "Listing":
    """The clips of `tone_folder`, as a dataset would list them."""
    # Here, since this file is loaded before annotations are hooked for checking.
    from sayso.data.clips import Clip, Listing

    paths = sorted(tone_folder.glob("*/*.wav"))
    return Listing(tuple(Clip(str(path), path.parent.name, path.stem.split("_")[0]) for path in paths))


def write_tones(folder: Path, *, speakers: tuple[str, ...] = SPEAKERS, clips: int = 3, seed: int = 0) -> Path:
    """Write clips of 0.3 to 0.5 s at 16 kHz; each speaker is a few per cent off the word's pitch."""
    rng = np.random.default_rng(seed)
    for word, pitch_hz in TONES_HZ.items():
        (folder / word).mkdir(parents=True, exist_ok=True)
        for place, speaker in enumerate(speakers):
            for index in range(clips):
                seconds = rng.uniform(0.3, 0.5)
                time = np.arange(round(seconds * RATE)) / RATE
                own_hz = pitch_hz * (1 + 0.02 * (place - 1.5)) * rng.uniform(0.99, 1.01)
                tone = 0.4 * np.sin(2 * np.pi * own_hz * time) * np.hanning(len(time))
                noisy = tone + 0.005 * rng.standard_normal(len(time))
                soundfile.write(folder / word / f"{speaker}_{index}.wav", noisy.astype(np.float32), RATE)
    return folder


@pytest.fixture
def few_voices(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a training hear two synthetic voices and 20 clips of other words, where many say no more of the code."""
    monkeypatch.setattr("sayso.recipe.defaults._VOICES_BESIDE", 2)
    monkeypatch.setattr("sayso.recipe.defaults._OTHER_CLIPS", 20)


@pytest.fixture
def made_run(tmp_path: Path) -> Callable[[str], Path]:
    """Give a function that writes the folder of a finished run that nobody trained: two words, two speakers."""

    # Imported here, so that the shape checks still hook in when conftest is read.
    from sayso.runs.log import LogRow, write_log
    from sayso.system.files import write_json, write_text

    def make(name: str) -> Path:
        folder = tmp_path / name
        speaker = {"n": 10, "accuracy": 0.9, "accuracy_ci95": [0.6, 0.98]}
        test = {
            "accuracy": 0.9,
            "n": 20,
            "per_speaker": {"ann": speaker, "bob": speaker | {"accuracy": 0.8}},
            "confusion": {"labels": ["one", "zero"], "counts": [[9, 1], [1, 9]]},
        }
        write_text(folder / "recipe.yaml", "dataset: {kind: fsdd}\n")
        write_json(folder / "metrics.json", {"test": test})
        write_json(folder / "manifest.json", {"best_epoch": 2})
        rows = [LogRow(epoch, part, 1 / epoch, 0.5, 0.01, 1.0) for epoch in (1, 2) for part in ("train", "validation")]
        write_log(folder / "log.csv", rows)
        return folder

    return make
