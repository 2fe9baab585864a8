"""What the page asks of its server: clips and files arrive whole or not at all, and every fault is one sentence."""

import io
import os
import shutil
import struct
import threading

import numpy as np
import pytest
import soundfile

pytest.importorskip("starlette", reason="needs the extra serve")

from sayso.audio import decode
from sayso.http import requests
from sayso.studio import intake
from studio_made import RATE, drop, make_studio, send, told, word

SETTINGS = {"autoGainControl": False, "echoCancellation": False, "noiseSuppression": False, "sampleRate": 48_000}


@pytest.fixture
def studio(tmp_path):
    return make_studio(tmp_path)[0]


@pytest.fixture
def page(studio, tmp_path):
    page = make_studio(tmp_path)[1]
    answer = page.put("/api/words", json={"words": [{"word": "yes"}, {"word": "no", "spoken": "no no"}]})
    assert answer.status_code == 200
    return page


def encoded(samples, rate=RATE, **kind):
    file = io.BytesIO()
    soundfile.write(file, samples, rate, **({"format": "WAV", "subtype": "PCM_16"} | kind))
    return file.getvalue()


def error(answer, status):
    assert answer.status_code == status, answer.text
    [text] = answer.json().values()
    assert "\n" not in text
    assert "Traceback" not in text
    return text


def clips(page):
    return page.get("/api/clips").json()["clips"]


def test_what_is_recorded_is_on_the_disk_when_it_is_answered(page, studio):
    answer = send(page, word(), settings=SETTINGS | {"deviceId": "secret", "nested": {"a": 1}})
    assert (answer.status_code, answer.json()["remarks"]) == (201, [])
    [take] = studio.recordings.takes()
    assert take.take["settings"] == SETTINGS
    samples, rate = decode(studio.recordings.folder / take.path)
    assert (rate, np.abs(samples - word()).max() < 1 / 32768) == (RATE, True)
    state = page.get("/api/state").json()
    assert [(each["word"], each["spoken"], each["clips"], each["by"]) for each in state["words"]] == [
        ("yes", "", 1, {"Ann": 1}),
        ("no", "no no", 0, {}),
    ]


def test_a_clip_is_heard_again_and_removed(page):
    path = send(page, word()).json()["path"]
    sound = page.get(f"/api/clips/{path}")
    assert sound.headers["content-type"] == "audio/flac"
    assert sound.content[:4] == b"fLaC"
    assert page.get(f"/api/clips/{path}", headers={"range": "bytes=0-3"}).content == b"fLaC"
    assert page.delete(f"/api/clips/{path}").json()["clips"] == 0
    assert "no such clip" in error(page.get(f"/api/clips/{path}"), 404)
    assert "no such clip" in error(page.delete(f"/api/clips/{path}"), 404)


@pytest.mark.parametrize(
    ("samples", "remark"),
    [
        (np.zeros(RATE, "<f4"), "Nothing is to be heard"),
        (word(level=0.005), "very quiet"),
        (np.clip(word(level=3.0), -1, 1), "too loud"),
        (word()[:RATE], "cut off at its end"),
        (word()[RATE:], "cut off at its beginning"),
    ],
)
def test_what_is_wrong_with_a_clip_is_said_at_once_and_kept_with_it(page, samples, remark):
    assert remark in " ".join(send(page, samples).json()["remarks"])
    assert remark in " ".join(clips(page)[0]["remarks"])
    assert page.get("/api/state").json()["remarks"] == 1


def test_the_same_clip_twice_is_told_whatever_the_word_but_not_another_take(page):
    rng = np.random.default_rng(0)
    noise = [rng.standard_normal(2 * RATE).astype("<f4") * np.abs(word()) for _ in range(2)]
    assert send(page, noise[0]).json()["remarks"] == []
    assert send(page, noise[1]).json()["remarks"] == []
    assert send(page, np.roll(noise[0] * 0.5, 2_000), word="no").json()["remarks"] == [
        "It is the same recording as one before."
    ]


@pytest.mark.parametrize(
    ("body", "facts", "status", "sentence"),
    [
        (b"", {}, 422, "gave no sound"),
        (b"abc", {}, 422, "gave no sound"),
        (np.full(RATE, np.nan, "<f4").tobytes(), {}, 422, "is no sound"),
        (np.full(RATE, 1e9, "<f4").tobytes(), {}, 422, "is no sound"),
        (np.zeros(100, "<f4").tobytes(), {}, 422, "holds no word"),
        (np.zeros(31 * 8_000, "<f4").tobytes(), {"rate": 8_000}, 422, "longer than 30 s"),
        (word().tobytes(), {"rate": 3}, 422, "is not understood"),
        (word().tobytes(), {"rate": 10**9}, 422, "is not understood"),
        (word().tobytes(), {"rate": "many"}, 400, "does not say its sample_rate"),
        (word().tobytes(), {"rate": 10**400}, 400, "does not say its sample_rate"),
        (word().tobytes(), {"word": "maybe"}, 400, "none of the words"),
        (word().tobytes(), {"word": ["yes"]}, 400, "does not say its word"),
        (word().tobytes(), {"speaker": " "}, 400, "A speaker is empty"),
    ],
)
def test_what_is_no_clip_is_one_sentence_and_leaves_nothing(page, studio, body, facts, status, sentence):
    assert sentence in error(send(page, body, **facts), status)
    assert studio.recordings.takes() == []


@pytest.mark.parametrize("header", ["", "{", "[]", "%7B", "null", "[" * 5_000])
def test_a_sound_of_which_nothing_is_told_is_refused(page, header):
    assert "does not say what it brings" in error(
        page.post("/api/clips", content=b"", headers={"x-sayso-clip": header}), 400
    )


@pytest.mark.parametrize(
    ("name", "kind"),
    [("a.wav", {}), ("b.FLAC", {"format": "FLAC"}), ("c.ogg", {"format": "OGG", "subtype": "VORBIS"}), ("ohne", {})],
)
def test_dropped_files_of_any_kind_become_clips(page, studio, name, kind):
    assert drop(page, encoded(word(), **kind), name).json()["remarks"] == []
    [take] = studio.recordings.takes()
    assert (take.take["file"], take.path.endswith(".flac")) == (name, True)
    assert np.abs(decode(studio.recordings.folder / take.path)[0]).max() == pytest.approx(0.3, abs=0.03)


def test_stereo_of_44_kilohertz_keeps_its_rate(page, studio):
    samples = np.stack([word(rate=44_100)] * 2, axis=1)
    drop(page, encoded(samples, 44_100), "a.wav")
    [take] = studio.recordings.takes()
    assert decode(studio.recordings.folder / take.path)[1] == 44_100


def lies(content, claimed):
    """A WAV that claims so many bytes of sound."""
    return content[:40] + struct.pack("<I", claimed) + content[44:]


@pytest.mark.parametrize(
    ("content", "name", "sentence"),
    [
        (b"", "a.wav", "a.wav is empty"),
        (b"hello" * 100, "a.wav", "a.wav: cannot be read as sound"),
        (b"%PDF-1.4" + b"\0" * 999, "words.pdf", "words.pdf: cannot be read as sound"),
        (lies(encoded(word()), 1_000_000), "a.wav", "cut short"),
        (encoded(word())[:2_000], "a.wav", "cut short"),
        (encoded(np.zeros(0)), "a.wav", "holds no sound"),
        (encoded(np.zeros(31 * 8_000), 8_000), "long.wav", "long.wav is longer than 30 s"),
        (encoded(np.zeros(40 * 8_000), 8_000, format="FLAC"), "long.flac", "long.flac is longer than 30 s"),
        (encoded(np.full(RATE, np.nan, "f4"), subtype="FLOAT"), "a.wav", "a.wav: "),
        (b"hello", "../../etc/passwd", "passwd: cannot be read as sound"),
    ],
)
def test_a_file_that_is_no_clip_is_one_sentence_that_names_it(page, studio, tmp_path, content, name, sentence):
    text = error(drop(page, content, name), 422)
    assert sentence in text
    assert "/tmp" not in text
    assert studio.recordings.takes() == []


def test_a_huge_upload_is_refused_by_what_it_claims_and_by_what_it_is(page, studio, monkeypatch):
    headers = told(word="yes", speaker="Ann", name="huge.wav") | {"content-length": str(2 << 30)}
    assert "larger than 64 MB" in error(page.post("/api/files", content=b"RIFF", headers=headers), 413)
    monkeypatch.setattr("sayso.studio.app.MOST_BYTES", 1 << 20)

    def more():
        for _ in range(100):
            yield b"\0" * (1 << 16)

    answer = page.post("/api/files", content=more(), headers=told(word="yes", speaker="Ann", name="huge.wav"))
    assert "larger than 1 MB" in error(answer, 413)
    assert studio.recordings.takes() == []


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b"\xff", b'{"words": 1}', b'{"words": [1]}', b'{"words": [{"word": 1}]}', b"[" * 9_999]
)
def test_words_that_are_none_are_refused(page, body):
    error(page.put("/api/words", content=body), 400)
    assert [each["word"] for each in page.get("/api/state").json()["words"]] == ["yes", "no"]


def test_a_request_of_many_megabytes_that_should_be_small_is_refused(page):
    assert "larger than 256 kB" in error(page.put("/api/words", content=b" " * (1 << 19)), 413)


def test_two_pages_that_record_at_once_keep_every_clip(page, studio):
    def record():
        for _ in range(5):
            assert send(page, word()).status_code == 201

    threads = [threading.Thread(target=record) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(studio.recordings.takes()) == 20


def test_a_full_disk_is_a_sentence_and_the_page_goes_on(page, studio, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr("pathlib.Path.write_bytes", _fill)
        assert "The disk is full, so this clip was not saved" in error(send(page, word()), 507)
    assert page.get("/api/state").json()["clips"] == 0
    assert send(page, word()).status_code == 201


def test_a_full_disk_where_files_are_read_is_a_sentence_too(page, studio, tmp_path, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr("tempfile.tempdir", str(tmp_path / "gone"))
        assert "There is no room to read a.wav" in error(drop(page, encoded(word()), "a.wav"), 507)
    assert studio.recordings.takes() == []
    assert drop(page, encoded(word()), "a.wav").status_code == 201


def test_names_that_are_no_text_are_passed_over_and_counted(page, studio):
    path = send(page, word()).json()["path"]
    clips = studio.recordings.folder
    for odd in (b"yes/Ann/\xff.flac", b"yes/\xff/a.flac", b"\xff/Ann/a.flac"):
        place = os.path.join(os.fsencode(clips), odd)  # noqa: PTH118 - of bytes
        os.makedirs(os.path.dirname(place), exist_ok=True)  # noqa: PTH103, PTH120
        shutil.copy(clips / path, place)
    assert [each["path"] for each in page.get("/api/clips").json()["clips"]] == [path]
    state = page.get("/api/state").json()
    assert (state["clips"], state["nameless"]) == (1, 3)
    assert send(page, word(500)).status_code == 201


def test_a_mistake_is_told_in_the_terminal_and_the_page_goes_on(tmp_path, monkeypatch):
    told = []
    studio, page = make_studio(tmp_path, tell=told.append, raises=False)
    with monkeypatch.context() as patched:
        patched.setattr(studio, "state", lambda: 1 / 0)
        assert "The studio made a mistake" in error(page.get("/api/state"), 500)
    assert told == ["/api/state: ZeroDivisionError: division by zero"]
    assert page.get("/api/state").status_code == 200


def test_a_list_of_clips_that_cannot_be_read_is_told(page, studio):
    (studio.recordings.folder / "clips.jsonl").mkdir()
    assert "clips.jsonl: cannot be read" in error(page.get("/api/state"), 404)


def _fill(*_):
    import errno
    import os

    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_training_needs_two_words_and_a_run_that_is_there(page, studio):
    send(page, word())
    assert "at least clips of two words" in error(page.post("/api/training", json={}), 400)
    send(page, word(500), word="no")
    assert "Epochs must be" in error(page.post("/api/training", json={"epochs": 0}), 400)
    assert "The language must be" in error(page.post("/api/training", json={"language": "--out"}), 400)
    for path in ("/api/runs/nothing", "/runs/nothing/report.html", "/runs/nothing/model.onnx"):
        assert "There is no such run" in error(page.get(path), 409)
    assert "There is no such run" in error(page.post("/api/runs/nothing/resume", json={}), 409)
    assert page.get("/api/training").json() == {"state": "none"}


def test_a_browsers_settings_are_kept_small():
    many = {f"key{place}": place for place in range(1_000)} | {"label": "x" * 1_000}
    assert len(intake.plain_settings(many)) == 40
    assert intake.plain_settings({"a": 10**400, "b": float("inf"), "c": float("nan"), "d": 1}) == {"d": 1}
    assert intake.plain_settings([1]) == intake.plain_settings(None) == {}


def test_a_client_gone_silent_is_told_and_let_go(page, monkeypatch):
    monkeypatch.setattr(requests, "_SILENT_SECONDS", 0.05)

    def slowly():
        yield b"\0" * 4
        threading.Event().wait(0.5)
        yield b"\0" * 4

    answer = page.post("/api/files", content=slowly(), headers=told(word="yes", speaker="Ann", name="a.wav"))
    assert answer.status_code in (408, 422)
