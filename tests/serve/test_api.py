"""The interface as a program asks it by HTTP; every answer is held against its own description."""

import io
import threading
from concurrent.futures import ThreadPoolExecutor

import jsonschema
import numpy as np
import pytest
import soundfile

pytest.importorskip("starlette", reason="needs the extra serve")

from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient

from api_made import DESCRIPTION, OWN, check_answer, check_schema, make_api
from sayso.audio import HIGHEST_RATE, LOWEST_RATE
from sayso.errors import ModelError
from sayso.http import requests
from sayso.runtime import Recognizer
from sayso.serve.api import app as app_module
from sayso.serve.api.gate import Gate
from sayso.serve.models import name_models
from tone_model_made import make_tone_model, recording


def wav(samples, rate=16_000, kind="WAV"):
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format=kind)
    return file.getvalue()


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Of tones: one that refuses what is no tone, and one that always names a word, with all but its words alike."""
    folder = tmp_path_factory.mktemp("models")
    for name in ("tones", "other"):
        (folder / name).mkdir()
        make_tone_model(folder / name / "model.onnx")
    found = [(Recognizer(folder / name / "model.onnx", threads=1), None) for name in ("tones", "other")]
    found[0][0].threshold = 0.5
    return name_models(found, lambda text: None)


@pytest.fixture
def page(models):
    with ThreadPoolExecutor(2) as workers:
        yield TestClient(make_api(models, workers)[1], base_url=OWN, raise_server_exceptions=False)


def test_every_route_is_described_and_nothing_else_is(models):
    with ThreadPoolExecutor(1) as workers:
        api, _ = make_api(models, workers)
        routes = app_module.make_app(api).routes
    there = {(route.path, method.lower()) for route in routes if isinstance(route, Route) for method in route.methods}
    sockets = {route.path for route in routes if isinstance(route, WebSocketRoute)}
    described = DESCRIPTION["paths"]
    assert {(path, method) for path, methods in described.items() for method in methods} == {
        pair for pair in there if pair[1] != "head"
    }
    assert sockets == {"/api/stream"}


def test_the_description_is_valid_by_its_own_words():
    assert DESCRIPTION["openapi"] == "3.1.0"
    for schema in DESCRIPTION["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)
    rate = DESCRIPTION["components"]["schemas"]["StreamRequest"]["properties"]["rate"]
    assert (rate["minimum"], rate["maximum"]) == (LOWEST_RATE, HIGHEST_RATE)


@pytest.mark.parametrize("path", ["/api/health", "/api/model", "/api/openapi.json"])
def test_what_is_told_without_sound(page, path):
    check_answer(page.get(path), path, 200)


def test_models_are_told_with_their_words(page, models):
    tones, other = page.get("/api/model").json()["models"]
    assert (tones["name"], other["name"]) == ("tones", "other")
    assert tones["words"] == other["words"] == ["low", "high"]
    assert (tones["threshold"], other["threshold"], tones["rate"]) == (0.5, None, 16_000)
    assert tones["stream"]["thresholds"] == {"low": 0.7, "high": 0.7}


@pytest.mark.parametrize("kind", ["WAV", "FLAC", "OGG", "AIFF", "MP3"])
@pytest.mark.parametrize("rate", [16_000, 44_100])
def test_a_sound_file_is_named_as_the_recogniser_names_it(page, models, tmp_path, kind, rate):
    content = wav(recording(1, [("high", 0.6)], rate=rate), rate, kind)
    path = tmp_path / "sound"
    path.write_bytes(content)
    expected = models["tones"].recognizer.predict(path, top=3)
    answer = check_answer(page.post("/api/predict", content=content), "/api/predict", 200)
    assert (answer["model"], answer["label"]) == ("tones", "high") == ("tones", expected[0].label)
    assert answer["probabilities"] == {each.label: each.probability for each in expected}
    assert answer["seconds"] == pytest.approx(1.0, abs=0.1)


def test_of_a_long_file_it_is_said_how_much_was_heard(page):
    answer = check_answer(page.post("/api/predict", content=wav(recording(9, []))), "/api/predict", 200)
    assert answer["remarks"] == ["heard 1 of its 9.0 s; `sayso spot` finds words in long files"]


def test_none_of_its_words_is_null_where_the_model_refuses(page):
    content = wav(recording(1, []))
    answer = check_answer(page.post("/api/predict", content=content), "/api/predict", 200)
    assert answer["label"] is None
    assert answer["probability"] == max(answer["probabilities"].values()) < 0.5
    answer = check_answer(page.post("/api/predict?model=other", content=content), "/api/predict", 200)
    assert (answer["model"], answer["label"] in ("low", "high")) == ("other", True)


@pytest.mark.parametrize(
    ("query", "content", "status", "message"),
    [
        ("", b"", 422, "The sound is empty"),
        ("", b"no sound at all", 422, "sound"),
        ("", wav(np.zeros(0)), 422, "holds no sound"),
        ("", b"RIFF\xff\xff\xff\xffWAVE" + bytes(1000), 422, "sound"),
        ("", wav(np.zeros(61 * 1000), 1000), 422, "longer than 60 s"),
        ("", bytes(app_module.MOST_BYTES + 1), 413, "larger than 16 MB"),
        ("?model=no", wav(np.zeros(16_000)), 404, "Model 'no' is not served; those that are: tones, other"),
        ("?top=abc", wav(np.zeros(16_000)), 400, "top: unknown parameter; there is model alone"),
        ("?model=tones&nosuch=1", wav(np.zeros(16_000)), 400, "nosuch: unknown parameter"),
        ("?model=", wav(np.zeros(16_000)), 404, "Model '' is not served"),
    ],
)
def test_what_cannot_be_answered_is_one_sentence(page, query, content, status, message):
    answer = check_answer(page.post(f"/api/predict{query}", content=content), "/api/predict", status)
    assert message in answer["error"]
    assert "/tmp" not in answer["error"]
    assert "between" not in answer["error"]
    assert page.get("/api/health").status_code == 200


def test_a_client_that_sends_too_slowly_is_let_go(page, monkeypatch):
    monkeypatch.setattr(app_module, "_SENDING_SECONDS", 0.05)
    monkeypatch.setattr(requests, "_SILENT_SECONDS", 5)

    def slowly():
        yield b"RIFF"
        threading.Event().wait(0.3)
        yield bytes(4)

    assert page.post("/api/predict", content=slowly()).status_code in (408, 422)


def test_too_much_at_once_is_refused(models):
    with ThreadPoolExecutor(1) as workers:
        api, app = make_api(models, workers)
        api.predictions.most = 0
        answer = TestClient(app, base_url=OWN).post("/api/predict", content=wav(np.zeros(16_000)))
    assert answer.headers["retry-after"] == "1"
    assert "more is asked" in check_answer(answer, "/api/predict", 503)["error"].lower()


def test_a_full_disk_is_one_sentence(page, tmp_path, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr("tempfile.tempdir", str(tmp_path / "gone"))
        answer = page.post("/api/predict", content=wav(np.zeros(16_000)))
        assert "no room to read the sound" in check_answer(answer, "/api/predict", 507)["error"]
    assert page.post("/api/predict", content=wav(np.zeros(16_000))).status_code == 200


def test_a_damaged_model_is_told_here_and_not_there(page, models, monkeypatch):
    def fail(self, samples):
        raise ModelError("/secret/model.onnx: damaged")

    monkeypatch.setattr(Recognizer, "logits", fail)
    answer = check_answer(page.post("/api/predict", content=wav(np.zeros(16_000))), "/api/predict", 500)
    assert "secret" not in answer["error"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/api/no", 404),
        ("GET", "/api/../../etc/passwd", 404),
        ("GET", "/api/predict", 405),
        ("POST", "/api/health", 405),
        ("DELETE", "/api/model", 405),
        ("GET", "/api/stream", 426),
    ],
)
def test_what_is_not_there_is_one_sentence(page, method, path, status):
    answer = page.request(method, path)
    assert answer.status_code == status
    check_schema(answer.json(), "Error")
    if status == 405:
        assert answer.headers["allow"]


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example"},
        {"host": "127.0.0.1:1"},
        {"host": "evil.example:8080"},
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "https://127.0.0.1:8080"},
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"},
    ],
)
@pytest.mark.parametrize(("method", "path"), [("GET", "/api/model"), ("POST", "/api/predict"), ("GET", "/api/stream")])
def test_pages_of_other_sites_are_refused(page, headers, method, path):
    answer = page.request(method, path, headers=headers)
    check_answer(answer, path, 421 if "host" in headers else 403)


@pytest.mark.parametrize(
    ("bound", "host", "fits"),
    [
        ("127.0.0.1", "localhost:8080", True),
        ("127.0.0.1", "192.168.1.5:8080", False),
        ("192.168.1.5", "192.168.1.5:8080", True),
        ("192.168.1.5", "localhost:8080", False),
        ("0.0.0.0", "192.168.1.5:9000", True),
        ("0.0.0.0", "[::1]:8080", True),
        ("::", "localhost", True),
        ("0.0.0.0", "evil.example:8080", False),
        ("0.0.0.0", "[", False),
        ("0.0.0.0", "", False),
    ],
)
def test_a_server_knows_its_names(models, bound, host, fits):
    with ThreadPoolExecutor(1) as workers:
        page = TestClient(make_api(models, workers, host=bound)[1], base_url=OWN)
        assert page.get("/api/health", headers={"host": host}).status_code == (200 if fits else 421)


def test_models_are_named_by_their_folders(models, tmp_path):
    (tmp_path / "a").mkdir()
    paths = [tmp_path / "a" / "model.onnx", tmp_path / "a.onnx", tmp_path / "b.onnx"]
    found = [(Recognizer(make_tone_model(path), threads=1), None) for path in paths]
    assert list(name_models(found, lambda text: None)) == ["a", "a-2", "b"]


def test_a_gate_has_one_host_alone(page):
    assert isinstance(page.app, Gate)
    assert page.get("/api/health", headers=[("host", "127.0.0.1:8080"), ("host", "evil")]).status_code == 421
