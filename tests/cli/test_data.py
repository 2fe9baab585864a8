"""`sayso data`: what it prints, what it refuses, and that it opens at once."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner, Result

from sayso.cli.data import app
from sayso.errors import SaysoError, SettingsError


@pytest.fixture
def clips(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of two words, two speakers, and one file that is no sound."""
    monkeypatch.setenv("SAYSO_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("SAYSO_DATA", str(tmp_path / "data"))
    rng = np.random.default_rng(0)
    for word in ("yes", "no way"):
        for speaker in ("anna", "ben"):
            folder = tmp_path / "clips" / word / speaker
            folder.mkdir(parents=True)
            for take in range(6):
                soundfile.write(folder / f"{take}.wav", rng.normal(0, 0.1, 800), 8000)
    (tmp_path / "clips" / "yes" / "anna" / "broken.wav").write_bytes(b"no sound")
    return tmp_path / "clips"


def call(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments), catch_exceptions=False)


def test_list_shows_every_kind_and_what_is_packed(clips: Path) -> None:
    first = call("list").stdout
    for kind in ("folder", "fsdd", "speech_commands", "synthetic"):
        assert any(line.startswith(kind) for line in first.splitlines())
    assert "not here yet" in first
    assert "no packed corpora" in first
    call("info", str(clips), "--decode")
    # Whether the unreadable file counts is the corpus's business.
    assert f" clips  16,000 Hz  0.8 MB  {clips}" in call("list").stdout


def test_info_counts_words_and_speakers(clips: Path) -> None:
    lines = call("info", str(clips)).stdout.splitlines()
    assert lines[0] == "folder: 25 clips of 2 words, 2 speakers"
    assert "no way     12" in lines
    assert "yes        13" in lines
    assert "anna        13" in lines
    assert not (clips.parent / "cache").exists()


def test_info_shows_parts(clips: Path) -> None:
    (clips / "testing_list.txt").write_text("yes/anna/0.wav\nyes/anna/1.wav\n")
    assert "yes        13     11     2" in call("info", str(clips)).stdout


def test_decoding_names_what_was_skipped(clips: Path) -> None:
    output = call("info", str(clips), "--decode").stdout
    assert "folder: 24 clips of 2 words, 2 speakers" in output
    assert "note: 1 of 25 files could not be read and was skipped" in output
    assert f"skipped: {clips}/yes/anna/broken.wav: cannot be read as sound" in output


def test_get_says_what_is_there(clips: Path) -> None:
    recordings = clips.parent / "data" / "fsdd" / "recordings"
    recordings.mkdir(parents=True)
    for name in ("0_theo_0.wav", "1_lucas_7.wav"):
        soundfile.write(recordings / name, np.zeros(80), 8000)
    output = call("get", "fsdd", "--set", "speakers=[theo]").stdout
    assert "fsdd: 1 clip of 1 word, 1 speaker\n" in output
    assert str(recordings) in output
    assert "note: a partial copy" in output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["info", "fsddd"], "fsddd: no such folder or manifest, and no dataset 'fsddd'; did you mean 'fsdd'"),
        (["info", "fsdd", "--set", "speekers=[theo]"], "speekers: unknown key; did you mean 'speakers'"),
        (["info", "fsdd", "--set", "speakers"], "'speakers' is not key=value"),
        (["info", "fsdd", "--set", "speakers=[theo"], "cannot be read as YAML"),
        (["get", "folder"], "path: is missing"),
    ],
)
def test_wrong_settings_fly_as_one_error(clips: Path, arguments: list[str], message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        call(*arguments)
    assert message in str(caught.value)


def test_missing_path(clips: Path) -> None:
    with pytest.raises(SaysoError, match="no such folder or manifest"):
        call("info", str(clips / "nowhere"))


def test_clear_asks_first_and_leaves_the_recordings(clips: Path) -> None:
    call("info", str(clips), "--decode")
    packed = clips.parent / "cache" / "packed"
    assert CliRunner().invoke(app, ["clear"], input="n\n").exit_code == 1
    assert packed.exists()
    assert "0.8 MB freed" in call("clear", "--yes").stdout
    assert not packed.exists()
    assert len(list(clips.rglob("*.wav"))) == 25


def test_clear_downloads_only_when_told(clips: Path) -> None:
    kept = clips.parent / "cache" / "downloads" / "x.tar.gz"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(bytes(1000))
    call("clear", "--yes")
    assert kept.exists()
    call("clear", "--yes", "--downloads")
    assert not kept.exists()


def test_help_imports_nothing_heavy() -> None:
    program = (
        "import sys; import sayso.cli.data;"
        "print([n for n in ('numpy', 'soundfile', 'torch', 'sayso.data.corpus', 'sayso.recipe') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True)
    assert done.stdout.strip() == "[]"
