"""Downloads against a server on loopback: resume, checksums, mirrors, offline; and archives that must be refused."""

import hashlib
import http.server
import io
import stat
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from sayso.errors import DownloadError, OutputError
from sayso.system.download import clear_downloads, downloads_folder, fetch, fetch_folder, unpack
from sayso.system.progress import Progress

CONTENT = bytes(range(256)) * 4096
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@dataclass
class Served:
    """What the server gives, how often it cuts the line, and what it was asked."""

    root: str
    files: dict[str, bytes] = field(default_factory=lambda: {"/a.bin": CONTENT})
    cuts: list[int] = field(default_factory=list)
    ranges: bool = True
    asked: list[tuple[str, str | None]] = field(default_factory=list)

    def url(self, name: str = "a.bin") -> str:
        return f"{self.root}/{name}"


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range")
            state.asked.append((self.path, wanted))
            content = state.files.get(self.path)
            if content is None:
                self.send_error(404)
                return
            start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and state.ranges else 0
            if start and start >= len(content):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(content)}")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.send_response(206 if start else 200)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
            self.send_header("Content-Length", str(len(content) - start))
            self.end_headers()
            self.wfile.write(content[start : state.cuts.pop(0) if state.cuts else None])

        def log_message(self, *arguments: object) -> None:
            pass

    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        state = Served(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield state
        server.shutdown()
        thread.join()


def part_of(path: Path) -> Path:
    return path.with_name(path.name + ".part")


def test_fetches_and_asks_no_second_time(served: Served, tmp_path: Path) -> None:
    for _ in range(2):
        assert fetch([served.url()], tmp_path / "a", sha256=SHA256, progress=Progress()).read_bytes() == CONTENT
    assert served.asked == [("/a.bin", None)]
    assert not part_of(tmp_path / "a").exists()


def test_goes_on_where_the_line_was_cut(served: Served, tmp_path: Path) -> None:
    served.cuts = [300_000, 700_000]
    assert fetch([served.url()], tmp_path / "a", sha256=SHA256, progress=Progress()).read_bytes() == CONTENT
    assert [wanted for _, wanted in served.asked] == [None, "bytes=300000-", "bytes=700000-"]


def test_goes_on_from_an_earlier_call(served: Served, tmp_path: Path) -> None:
    part_of(tmp_path / "a").write_bytes(CONTENT[:500_000])
    assert fetch([served.url()], tmp_path / "a", sha256=SHA256, progress=Progress()).read_bytes() == CONTENT
    assert served.asked == [("/a.bin", "bytes=500000-")]


def test_server_without_ranges_begins_again(served: Served, tmp_path: Path) -> None:
    served.ranges = False
    part_of(tmp_path / "a").write_bytes(CONTENT[:500_000])
    assert fetch([served.url()], tmp_path / "a", sha256=SHA256, progress=Progress()).read_bytes() == CONTENT


@pytest.mark.parametrize("surplus", [b"", b"of another file"])
def test_part_that_is_complete_or_too_long(served: Served, tmp_path: Path, surplus: bytes) -> None:
    part_of(tmp_path / "a").write_bytes(CONTENT + surplus)
    assert fetch([served.url()], tmp_path / "a", sha256=SHA256, progress=Progress()).read_bytes() == CONTENT


def test_gives_up_when_nothing_more_arrives(served: Served, tmp_path: Path) -> None:
    served.cuts = [1000, 1000, 1000]
    with pytest.raises(DownloadError, match="the connection was cut"):
        fetch([served.url()], tmp_path / "a", sha256=SHA256, progress=Progress())
    assert part_of(tmp_path / "a").stat().st_size == 1000


def test_wrong_checksum_takes_the_next_mirror(served: Served, tmp_path: Path) -> None:
    served.files["/bad.bin"] = CONTENT[::-1]
    urls = [served.url("missing.bin"), served.url("bad.bin"), served.url()]
    assert fetch(urls, tmp_path / "a", sha256=SHA256, progress=Progress()).read_bytes() == CONTENT
    assert [path for path, _ in served.asked] == ["/missing.bin", "/bad.bin", "/a.bin"]
    assert served.asked[2][1] is None


def test_wrong_checksum_everywhere_leaves_nothing(served: Served, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="wrong SHA-256"):
        fetch([served.url()], tmp_path / "a", sha256="0" * 64, progress=Progress())
    assert list(tmp_path.iterdir()) == []


def test_offline_says_what_to_put_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with pytest.raises(DownloadError) as caught:
        # Port 9 (discard) of loopback: nothing listens there.
        fetch(["http://127.0.0.1:9/x"], tmp_path / "x.tar.gz", sha256=None, progress=Progress(), holds="fsdd")
    message = str(caught.value)
    assert "\n" not in message
    assert f"put x.tar.gz into {tmp_path}, or set SAYSO_DATA to a folder that holds `fsdd/`" in message


def test_archive_put_there_is_used_without_network_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAYSO_CACHE", str(tmp_path))
    archive = make_tar(downloads_folder() / "x.tar.gz", {"top/1.wav": b"sound"})
    folder = fetch_folder(
        ["http://127.0.0.1:9/x"],
        downloads_folder() / "x",
        archive="x.tar.gz",
        holds="x",
        sha256=None,
        progress=Progress(),
    )
    assert (folder / "top" / "1.wav").read_bytes() == b"sound"
    assert archive.exists()
    assert clear_downloads() > 0
    assert not downloads_folder().exists()


def test_fetched_archive_is_removed_once_unpacked(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAYSO_CACHE", str(tmp_path))
    served.files["/x.tar.gz"] = make_tar(tmp_path / "served.tar.gz", {"1.wav": b"sound"}).read_bytes()
    folder = fetch_folder(
        [served.url("x.tar.gz")],
        downloads_folder() / "x",
        archive="x.tar.gz",
        holds="x",
        sha256=None,
        progress=Progress(),
    )
    assert [path.name for path in downloads_folder().iterdir()] == [folder.name]


def test_wrong_file_put_there_is_named(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"something else")
    with pytest.raises(DownloadError, match="remove it and run again"):
        fetch([], tmp_path / "a", sha256=SHA256, progress=Progress())


def test_no_place_to_write_is_one_line(served: Served, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="a file stands where a folder is needed"):
        fetch([served.url()], tmp_path / "file" / "a", sha256=SHA256, progress=Progress())


def make_tar(path: Path, files: dict[str, bytes], *members: tarfile.TarInfo) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz") as packed:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            packed.addfile(info, io.BytesIO(content))
        for member in members:
            packed.addfile(member)
    return path


def test_unpacks_tar_and_zip_alike(tmp_path: Path) -> None:
    files = {"./yes/1.wav": b"one", "no/2.wav": b"two"}
    make_tar(tmp_path / "a.tar.gz", files)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as packed:
        packed.mkdir("empty")
        for name, content in files.items():
            packed.writestr(name, content)
    for archive, folder in (("a.tar.gz", "t"), ("a.zip", "z")):
        unpack(tmp_path / archive, tmp_path / folder, progress=Progress())
        found = {path.relative_to(tmp_path / folder).as_posix() for path in (tmp_path / folder).rglob("*.wav")}
        assert found == {"yes/1.wav", "no/2.wav"}
        assert (tmp_path / folder / "yes" / "1.wav").read_bytes() == b"one"


EVIL_NAMES = ["/tmp/evil", "../evil", "yes/../../evil", "C:/evil", "yes\\..\\evil"]


@pytest.mark.parametrize("name", EVIL_NAMES)
def test_refuses_names_that_lead_out(tmp_path: Path, name: str) -> None:
    make_tar(tmp_path / "a.tar.gz", {"fine.wav": b"", name: b"evil"})
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as packed:
        packed.writestr(name, b"evil")
    for archive in ("a.tar.gz", "a.zip"):
        with pytest.raises(DownloadError, match="refused"):
            unpack(tmp_path / archive, tmp_path / "out", progress=Progress())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.tar.gz", "a.zip"]


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_refuses_links_and_devices_in_tar(tmp_path: Path, kind: bytes) -> None:
    member = tarfile.TarInfo("link")
    member.type, member.linkname = kind, "/etc"
    archive = make_tar(tmp_path / "a.tar.gz", {"fine.wav": b""}, member)
    with pytest.raises(DownloadError, match="'link' is a link or device"):
        unpack(archive, tmp_path / "out", progress=Progress())
    assert not (tmp_path / "out").exists()


def test_refuses_links_in_zip(tmp_path: Path) -> None:
    entry = zipfile.ZipInfo("link")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as packed:
        packed.writestr(entry, "/etc")
    with pytest.raises(DownloadError, match="refused"):
        unpack(tmp_path / "a.zip", tmp_path / "out", progress=Progress())


@pytest.mark.parametrize("keep", [0, 10, 2000])
def test_damaged_archive_leaves_nothing(tmp_path: Path, keep: int) -> None:
    noise = hashlib.shake_128(b"seed").digest(5000)
    archive = make_tar(tmp_path / "a.tar.gz", {"1.wav": noise})
    archive.write_bytes(archive.read_bytes()[:keep])
    with pytest.raises(DownloadError, match="damaged or not an archive"):
        unpack(archive, tmp_path / "out", progress=Progress())
    assert [path.name for path in tmp_path.iterdir()] == ["a.tar.gz"]


def test_two_that_fetch_one_archive_at_once_fetch_it_once(served: Served, tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("yes/1.wav", CONTENT)
    served.files["/clips.zip"] = packed.getvalue()
    ready = threading.Barrier(4)

    def get(_: int) -> bytes:
        ready.wait()
        folder = fetch_folder(
            [served.url("clips.zip")], tmp_path / "clips", archive="clips.zip", holds="x", sha256=None,
            progress=Progress(),
        )  # fmt: skip
        return (folder / "yes" / "1.wav").read_bytes()

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(get, range(4))) == [CONTENT] * 4
    assert len(served.asked) == 1
