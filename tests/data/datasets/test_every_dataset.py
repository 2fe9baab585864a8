"""What holds for every registered dataset, found by walking the registry."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from sayso.config.schema import dump, field_help, field_types, read
from sayso.data.datasets import DATASETS, DatasetConfig
from sayso.system.progress import Progress

Settings = dict[str, Any]


def sounds(folder: Path, *names: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        soundfile.write(folder / name, np.arange(100, dtype=np.int16), 8000)
    return folder


def prepare_folder(data: Path) -> Settings:
    sounds(data / "own" / "yes", "1.wav", "2.wav")
    sounds(data / "own" / "no", "1.wav", "2.wav")
    return {"path": str(data / "own")}


def prepare_fsdd(data: Path) -> Settings:
    sounds(data / "fsdd" / "recordings", "0_theo_0.wav", "1_theo_7.wav", "0_lucas_12.wav")
    return {}


def prepare_audiomnist(data: Path) -> Settings:
    sounds(data / "audiomnist" / "data" / "01", "0_01_0.wav", "1_01_49.wav")
    sounds(data / "audiomnist" / "data" / "60", "0_60_7.wav")
    return {}


def prepare_speech_commands(data: Path) -> Settings:
    for word in ("yes", "no"):
        sounds(data / "speech_commands_v0.01" / word, "a_nohash_0.wav", "b_nohash_0.wav")
    (data / "speech_commands_v0.01" / "testing_list.txt").write_text("yes/a_nohash_0.wav\n")
    return {}


def prepare_synthetic(data: Path) -> Settings:
    pytest.importorskip("espeakng_loader", reason="needs the extra `voices`")
    return {"words": ["yes", "no"], "voices": 2, "clips_per_voice": 1}


def prepare_mixed(data: Path) -> Settings:
    sounds(data / "more" / "yes", "1.wav")
    inner = {"kind": "folder", **prepare_folder(data)}
    return {"recordings": inner, "training": [{"kind": "folder", "path": str(data / "more")}]}


def prepare_other_words(data: Path) -> Settings:
    pytest.importorskip("espeakng_loader", reason="needs the extra `voices`")
    return {"wanted": ["yes", "no"], "voices": 2, "clips": 4}


PREPARE: dict[str, Callable[[Path], Settings]] = {
    "audiomnist": prepare_audiomnist,
    "folder": prepare_folder,
    "fsdd": prepare_fsdd,
    "mixed": prepare_mixed,
    "other_words": prepare_other_words,
    "speech_commands": prepare_speech_commands,
    "synthetic": prepare_synthetic,
}
KINDS = DATASETS.names()


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SAYSO_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("SAYSO_CACHE", str(tmp_path / "cache"))
    return tmp_path / "data"


def make(kind: str, data: Path) -> DatasetConfig:
    # A new dataset needs a few clips of its own here.
    return read(DatasetConfig, {"kind": kind, **PREPARE[kind](data)})


def test_modules_and_kinds_have_one_name() -> None:
    assert KINDS
    for kind in KINDS:
        assert DATASETS.get(kind).__module__ == f"sayso.data.datasets.{kind}"


def test_settings_end_in_config() -> None:
    """A data set builds nothing, so there is no class without that ending beside it."""
    for part in DATASETS:
        assert part.__name__.endswith("Config")


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_has_help(kind: str) -> None:
    part = DATASETS.get(kind)
    assert part.__doc__
    assert set(field_types(part)) <= set(field_help(part))


@pytest.mark.parametrize("kind", KINDS)
def test_listing_is_deterministic_and_its_clips_exist(kind: str, data: Path) -> None:
    dataset = make(kind, data)
    listing = dataset.listing(Progress())
    assert listing == dataset.listing(Progress())
    assert len(listing.clips) >= 2
    assert len(set(listing.clips)) == len(listing.clips)
    assert all(Path(clip.path).is_file() and Path(clip.path).is_absolute() for clip in listing.clips)
    assert dataset.location() is not None


@pytest.mark.parametrize("kind", KINDS)
def test_settings_survive_writing_and_reading(kind: str, data: Path) -> None:
    dataset = make(kind, data)
    assert read(DatasetConfig, dump(dataset)) == dataset


@pytest.mark.parametrize("kind", KINDS)
def test_unknown_settings_are_refused(kind: str, data: Path) -> None:
    with pytest.raises(Exception, match="excludee: unknown key; did you mean 'exclude'"):
        read(DatasetConfig, {"kind": kind, **PREPARE[kind](data), "excludee": "x.csv"})


def test_no_dataset_needs_torch_or_matplotlib() -> None:
    program = (
        "import sys; from sayso.data.datasets import DATASETS; assert DATASETS.names();"
        "print([name for name in ('torch', 'lightning', 'matplotlib', 'sayso.recipe.recipe') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True)
    assert done.stdout.strip() == "[]"
