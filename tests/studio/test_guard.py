"""Nobody but the page that was opened with its token reaches recorder or files."""

import re

import pytest

pytest.importorskip("starlette", reason="needs the extra serve")

from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from sayso.http.address import Address
from sayso.studio.address import check_address
from sayso.studio.app import Studio, make_app
from sayso.studio.guard import Guard, Keys

HOST, OWN = "127.0.0.1:8765", "http://127.0.0.1:8765"
ADDRESS = Address("127.0.0.1", 8765)


@pytest.fixture
def keys():
    return Keys()


@pytest.fixture
def stranger(tmp_path, keys):
    studio = Studio(tmp_path / "clips", tmp_path / "runs", print)
    app = Guard(make_app(studio), address=ADDRESS, keys=keys)
    return TestClient(app, base_url=OWN, follow_redirects=False)


@pytest.fixture
def friend(stranger, keys):
    assert stranger.get(f"/?token={keys.token}").status_code == 303
    return stranger


def test_the_token_becomes_a_cookie_that_no_script_and_no_other_site_gets(stranger, keys):
    answer = stranger.get(f"/?token={keys.token}")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert keys.token not in cookie
    assert stranger.get("/").status_code == 200


@pytest.mark.parametrize("other", ['theme={"x": 1}', "a[b]=1", "user=John Doe", "=v", 'a="b', "x"])
def test_cookies_of_other_programs_lock_nobody_out(stranger, keys, other):
    headers = {"cookie": f"{other}; sayso-studio-8765={keys.session}; {other}"}
    assert stranger.get("/api/state", headers=headers).status_code == 200


@pytest.mark.parametrize("query", ["", "?token=", "?token=wrong", "?token=é", "?token[]=1", "?" + "a=1&" * 50])
def test_without_the_token_not_even_the_page_is_shown(stranger, query):
    answer = stranger.get(f"/{query}")
    assert answer.status_code == 403
    assert "address that the terminal shows" in answer.text
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "path", ["/api/state", "/pages/studio.js", "/api/training", "/api/clips/x.flac", "/runs/x/report.html"]
)
@pytest.mark.parametrize(
    "cookie", [None, "sayso-studio-8765=", "sayso-studio-8765=wrong", "other=1; sayso-studio-8765=a", "=;;=\x01"]
)
def test_without_the_cookie_nothing_is_answered(stranger, path, cookie):
    assert stranger.get(path, headers={"cookie": cookie} if cookie else {}).status_code == 403


def test_the_cookie_of_another_port_lets_nobody_in(stranger, keys):
    assert stranger.get("/", headers={"cookie": f"sayso-studio-8766={keys.session}"}).status_code == 403
    assert stranger.get("/", headers={"cookie": f"sayso-studio-8765={keys.token}"}).status_code == 403


@pytest.mark.parametrize(
    "host",
    [
        "evil.example:8765",
        "127.0.0.1",
        "127.0.0.1:80",
        "127.0.0.1.evil.example:8765",
        "",
        "127.0.0.2:8765",
        "0.0.0.0:8765",
        "[::1]:8766",
        "localhost:8765.evil.example",
    ],
)
def test_another_name_that_leads_here_is_refused_whatever_it_brings(friend, keys, host):
    for path in ("/api/state", f"/?token={keys.token}"):
        answer = friend.get(path, headers={"host": host})
        assert answer.status_code == 421
        assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("host", [HOST, "localhost:8765", "LOCALHOST:8765", "[::1]:8765"])
def test_the_names_of_this_machine_are_its_own(friend, keys, host):
    cookie = {"cookie": f"sayso-studio-8765={keys.session}"}
    assert friend.get("/api/state", headers={"host": host, **cookie}).status_code == 200


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "null",
        "http://localhost:8765",
        "https://127.0.0.1:8765",
        "http://127.0.0.1:8766",
        "http://127.0.0.1",
        "",
    ],
)
def test_a_page_of_elsewhere_reaches_nothing(friend, tmp_path, origin):
    for method, path in (
        ("GET", "/api/state"),
        ("PUT", "/api/words"),
        ("POST", "/api/clips"),
        ("DELETE", "/api/training"),
    ):
        assert friend.request(method, path, headers={"origin": origin}).status_code == 403
    assert not (tmp_path / "clips" / "studio.json").exists()


def test_who_changes_something_must_say_where_it_comes_from(friend):
    assert friend.put("/api/words", json={"words": []}).status_code == 403
    assert friend.put("/api/words", json={"words": []}, headers={"origin": OWN}).status_code == 200


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
@pytest.mark.parametrize("mode", ["cors", "no-cors", "websocket"])
def test_what_a_browser_says_comes_from_elsewhere_is_refused(friend, site, mode):
    assert friend.get("/api/state", headers={"sec-fetch-site": site, "sec-fetch-mode": mode}).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [{"host": HOST}, {"host": HOST, "origin": "http://evil.example"}, {"host": "evil.example:8765", "origin": OWN}],
)
def test_a_websocket_of_elsewhere_is_closed(friend, headers):
    with pytest.raises(WebSocketDisconnect), friend.websocket_connect("/api/state", headers=headers):
        pass


def test_a_websocket_of_its_own_page_passes(keys):
    async def app(scope, receive, send):
        from starlette.websockets import WebSocket

        socket = WebSocket(scope, receive, send)
        await socket.accept()
        await socket.send_text("hello")
        await socket.close()

    client = TestClient(Guard(app, address=ADDRESS, keys=keys), base_url=OWN)
    own = {"host": HOST, "origin": OWN, "cookie": f"sayso-studio-8765={keys.session}"}
    with client.websocket_connect("/", headers=own) as socket:
        assert socket.receive_text() == "hello"
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/", headers={"host": HOST, "origin": OWN}):
        pass


def test_every_answer_forbids_what_comes_from_elsewhere(friend):
    for path in ("/", "/pages/studio.js", "/api/state", "/nothing"):
        headers = friend.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
    policy = friend.get("/").headers["content-security-policy"]
    assert "unsafe-inline" not in policy
    assert "http" not in policy
    assert "frame-ancestors 'none'" in policy


def test_the_pages_name_nothing_elsewhere(friend):
    names = re.findall(r"/pages/([\w.-]+)", friend.get("/").text)
    assert len(names) > 3
    for name in names:
        assert friend.get(f"/pages/{name}").status_code == 200
    from importlib.resources import files

    for file in files("sayso.studio").joinpath("pages").iterdir():
        addresses = set(re.findall(r"https?://[^\s\"'`]+", file.read_text()))
        assert addresses <= {"http://www.w3.org/2000/svg"}, file.name


@pytest.mark.parametrize(
    "path",
    [
        "/pages/../app.py",
        "/pages/..%2fapp.py",
        "/pages/%2e%2e/app.py",
        "/pages/app.py",
        "/pages//etc/passwd",
        "/api/clips/..%2f..%2fsecret.wav",
        "/api/clips/%2fetc%2fpasswd",
        "/api/clips/../secret.wav",
        "/runs/..%2f..%2fclips/report.html",
        "/runs/../report.html",
        "/api/clips/clips.jsonl",
        "/api/clips/studio.json",
    ],
)
def test_no_path_leads_to_other_files(friend, tmp_path, path):
    (tmp_path / "secret.wav").write_bytes(b"secret")
    (tmp_path / "report.html").write_bytes(b"secret")
    (tmp_path / "clips").mkdir()
    (tmp_path / "clips" / "studio.json").write_text('{"words": [], "speakers": []}')
    for method in ("GET", "DELETE"):
        answer = friend.request(method, path, headers={"origin": OWN})
        assert answer.status_code in (404, 405, 409)
        assert "secret" not in answer.text
    assert (tmp_path / "secret.wav").read_bytes() == b"secret"


def test_what_is_no_clip_is_not_given_out(friend, tmp_path):
    (tmp_path / "clips" / "yes").mkdir(parents=True)
    (tmp_path / "clips" / "yes" / "passwd.txt").symlink_to("/etc/passwd")
    assert friend.get("/api/clips/yes/passwd.txt").status_code == 404


@pytest.mark.parametrize(
    ("host", "told"),
    [
        ("192.168.1.5", "give no microphone to a page on plain http"),
        ("studio.example", "plain http"),
        ("0.0.0.0", "the one name"),
        ("::", "the one name"),
        ("", "the one name"),
    ],
)
def test_others_are_let_in_by_tls_alone(host, told):
    from sayso.errors import SettingsError

    with pytest.raises(SettingsError, match=told):
        check_address(host, None, None)


def test_a_server_for_others_has_one_name_and_a_cookie_for_https(tmp_path, keys):
    assert check_address("studio.example", *(tmp_path / "a.pem",) * 2) if (tmp_path / "a.pem").write_text("x") else None
    address = Address("studio.example", 443, "https")
    assert address.hosts == {"studio.example", "studio.example:443"}
    app = Guard(PlainTextResponse("in"), address=address, keys=keys)
    client = TestClient(app, base_url="https://studio.example", follow_redirects=False)
    assert "Secure" in client.get(f"/?token={keys.token}").headers["set-cookie"]
    assert client.get("/", headers={"host": "localhost:443"}).status_code == 421
