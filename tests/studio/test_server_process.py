"""`sayso studio` as one meets it in a terminal: what does not fit is one line, and what fits answers, by TLS too."""

import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import urllib.error
import urllib.request

import pytest

pytest.importorskip("starlette", reason="needs the extra serve")

from conftest import one_line

LIGHT = (
    "import sys\n"
    "from sayso.cli import main\n"
    "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
    "heavy = {'torch', 'lightning', 'matplotlib', 'jinja2'} & set(sys.modules)\n"
    "assert not heavy, heavy\n"
)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            ("--host", "192.168.1.5"),
            "browsers give no microphone to a page on plain http; give --certificate and --key",
        ),
        (("--host", "0.0.0.0"), "give the one name or address that others open"),
        (("--certificate", "a.pem"), "goes with --key"),
        (("--certificate", "a.pem", "--key", "b.pem"), "which is no file; give it in PEM"),
    ],
)
def test_a_place_that_does_not_fit_is_one_line(program, monkeypatch, tmp_path, arguments, told):
    monkeypatch.chdir(tmp_path)
    code, _, err = program("studio", "clips", "--no-browser", *arguments)
    assert code == 2
    assert told in one_line(err)
    assert not (tmp_path / "clips").exists()


def test_a_port_in_use_a_file_for_a_folder_and_no_certificate_are_one_line(program, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, _, err = program("studio", "clips", "--no-browser", "--port", taken.getsockname()[1])
    assert (code, "cannot be used (Address already in use); choose another" in one_line(err)) == (2, True)
    (tmp_path / "file").write_text("no certificate")
    code, _, err = program("studio", "file", "--no-browser", "--port", 0)
    assert (code, "a file stands where a folder is needed" in one_line(err)) == (2, True)
    code, _, err = program("studio", "clips", "--no-browser", "--port", 0, "--certificate", "file", "--key", "file")
    assert (code, "is no pair in PEM" in one_line(err)) == (2, True)


def start(folder, *options):
    command = [sys.executable, "-c", LIGHT, "studio", "clips", "--port", "0", "--no-browser", *options]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def end(process):
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 0, told
    assert "Traceback" not in told
    return told


def test_it_serves_one_page_without_what_trains_and_says_where_recordings_lie(tmp_path):
    process = start(tmp_path)
    try:
        url = process.stdout.readline().strip()
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/\?token=[\w-]{43}", url)
        cookies = urllib.request.HTTPCookieProcessor()
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), cookies)
        with opener.open(url) as page:
            assert "Sayso studio" in page.read().decode()
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url.partition("?")[0])
    finally:
        told = end(process)
    assert "recordings lie in clips" in told


@pytest.mark.skipif(not shutil.which("openssl"), reason="a certificate is made by openssl, which is not installed")
def test_others_reach_it_by_tls(tmp_path):
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out", "cert.pem"]
    made += ["-days", "1", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run(made, cwd=tmp_path, check=True, capture_output=True)
    process = start(tmp_path, "--certificate", "cert.pem", "--key", "key.pem")
    try:
        url = process.stdout.readline().strip()
        assert url.startswith("https://")
        trusted = urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=str(tmp_path / "cert.pem")))
        cookies = urllib.request.HTTPCookieProcessor()
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), trusted, cookies)
        with opener.open(url) as page:
            assert page.status == 200
        assert all(cookie.secure for cookie in cookies.cookiejar)
    finally:
        end(process)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_training_ends_with_the_studio_however_that_is_ended(tmp_path, number):
    closes = "import sayso.studio.app as app; app.Studio.close = lambda self: print('closed', flush=True)"
    command = [sys.executable, "-c", f"{closes}; {LIGHT}", "studio", "clips", "--port", "0", "--no-browser"]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout.readline().startswith("http")
    process.send_signal(number)
    out, told = process.communicate(timeout=60)
    assert (process.returncode, out) == (0, "closed\n"), told
