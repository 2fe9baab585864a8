"""Fetching onnxruntime-web: from the registry that is set, the pinned archive alone, whole or not at all."""

import base64
import gzip
import hashlib
import io
import tarfile
from pathlib import Path

import pytest

from browser import served
from sayso.web import fetch
from sayso.web.fetch import FILES, FetchError, UnreachableError, is_fetched, registry


@pytest.fixture(autouse=True)
def no_setting(monkeypatch, tmp_path):
    monkeypatch.delenv("npm_config_registry", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()


@pytest.fixture
def archive(tmp_path):
    """A registry's folder with an archive of made-up files."""
    path = tmp_path / "registry" / fetch._ARCHIVE
    path.parent.mkdir(parents=True)
    with tarfile.open(path, "w:gz") as file:
        for name in FILES.values():
            entry = tarfile.TarInfo(name)
            entry.size = len(name)
            file.addfile(entry, io.BytesIO(name.encode()))
    return path


def pin(path: Path, monkeypatch):
    digest = base64.b64encode(hashlib.sha512(path.read_bytes()).digest()).decode()
    monkeypatch.setattr(fetch, "_SHA512", digest)


def test_the_registry_is_that_of_npm(tmp_path, monkeypatch):
    tools = tmp_path / "tools"
    tools.mkdir()
    monkeypatch.setenv("PATH", f"{tools}:/usr/bin:/bin")
    npm = tools / "npm"
    npm.write_text('#!/bin/sh\n[ "$*" = "config get registry" ] && echo https://of-npm/\n')
    npm.chmod(0o755)
    assert registry() == "https://of-npm"
    (tmp_path / "home" / ".npmrc").write_text("@a:registry=https://a\nregistry = https://mirror/npm/ \n")
    assert registry() == "https://mirror/npm"
    monkeypatch.setenv("npm_config_registry", "https://other/")
    assert registry() == "https://other"


@pytest.mark.parametrize("npm", [None, "#!/bin/sh\nexit 1\n", "no program"])
def test_where_no_registry_is_known_that_is_one_line(tmp_path, monkeypatch, capsys, npm):
    monkeypatch.setenv("PATH", str(tmp_path))
    if npm:
        (tmp_path / "npm").write_text(npm)
        (tmp_path / "npm").chmod(0o755)
    monkeypatch.setattr(fetch, "is_fetched", lambda folder: False)
    assert fetch.main() == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith("install npm, or set npm_config_registry to a registry that can be reached")


def test_files_are_taken_out_of_the_archive_and_fetched_once(tmp_path, monkeypatch, archive):
    pin(archive, monkeypatch)
    folder = tmp_path / "here"
    with served(tmp_path / "registry") as url:
        monkeypatch.setenv("npm_config_registry", url)
        assert fetch.fetch(folder)
    assert is_fetched(folder)
    assert {path.name for path in folder.iterdir()} == {*FILES, "version.txt"}
    assert gzip.decompress((folder / "ort.wasm.gz").read_bytes()).decode() == FILES["ort.wasm.gz"]
    assert not fetch.fetch(folder)
    (folder / "version.txt").write_text("1.0.0")
    assert not is_fetched(folder)


def test_another_archive_is_refused(tmp_path, monkeypatch, archive):
    with served(tmp_path / "registry") as url:
        monkeypatch.setenv("npm_config_registry", url)
        with pytest.raises(FetchError, match="has not the pinned SHA-512"):
            fetch.fetch(tmp_path / "here")
        archive.unlink()
        with pytest.raises(UnreachableError, match=r"\(HTTP Error 404.*set npm_config_registry"):
            fetch.fetch(tmp_path / "here")
    assert not (tmp_path / "here").exists()


def test_a_registry_that_is_away_is_one_line(tmp_path, monkeypatch, capsys):
    with served(tmp_path) as url:
        monkeypatch.setenv("npm_config_registry", url)
    monkeypatch.setattr(fetch, "is_fetched", lambda folder: False)
    assert fetch.main() == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"sayso: cannot fetch onnxruntime-web {fetch.VERSION} (")
