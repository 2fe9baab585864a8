"""A model as static files: what is written, and what is refused."""

import gzip
import hashlib
import json
import re

import pytest

from conftest import one_line
from models_made import loudness_model
from sayso.delivery.web import export_web
from sayso.errors import ModelError, OutputError
from sayso.web import asset_files, describe, fetch
from sayso.web.fetch import FILES
from streams_made import export_model
from tone_model_made import PITCHES, make_tone_model


@pytest.fixture(autouse=True)
def runtime_made(tmp_path, monkeypatch):
    """Files that stand for onnxruntime-web, which may not be fetched here."""
    folder = tmp_path / "onnxruntime"
    folder.mkdir()
    for name in FILES:
        (folder / name).write_bytes(gzip.compress(b"made up") if name.endswith(".gz") else b"made up")
    (folder / "version.txt").write_text(fetch.VERSION)
    monkeypatch.setattr("sayso.web.assets.FETCHED", folder)
    monkeypatch.setattr("sayso.web.assets.is_fetched", lambda: fetch.is_fetched(folder))
    return folder


def test_everything_a_page_loads_is_in_the_folder_and_nothing_else_is_named(tmp_path):
    done = export_web(make_tone_model(tmp_path / "model.onnx"), tmp_path / "page")
    names = {path.relative_to(done.folder).as_posix() for path in done.folder.rglob("*") if path.is_file()}
    assert names >= {
        "index.html",
        "sayso.js",
        "model.json",
        "model.onnx.gz",
        *(f"onnxruntime/{name}" for name in FILES),
    }
    for name in asset_files():
        text = (done.folder / name).read_text(encoding="utf-8")
        loaded = re.findall(r'(?:from|import|src=|href=|new URL\()\s*"([^"]+)"', text)
        assert {each.removeprefix("./") for each in loaded if each != "data:,"} - {""} <= names, name
        addresses = set(re.findall(r"https?://[^\s)`\"']*", re.sub(r"^\s*(//|\*|/\*\*).*$", "", text, flags=re.M)))
        assert {each for each in addresses if "localhost" not in each} == set(), name
    written = sum((done.folder / name).stat().st_size for name in names if not name.startswith("LICENSES/"))
    assert done.transferred_bytes == written


def test_the_service_worker_names_every_file_by_its_hash(tmp_path):
    def told(folder):
        first = (folder / "service-worker.js").read_text(encoding="utf-8").splitlines()[0]
        return json.loads(first.removeprefix("Object.assign(self, ").removesuffix(");"))

    pages = [
        export_web(make_tone_model(tmp_path / "model.onnx", threshold=threshold), tmp_path / name).folder
        for name, threshold in (("one", 0.6), ("same", 0.6), ("other", 0.7))
    ]
    one, same, other = map(told, pages)
    assert one == same
    assert one["VERSION"] != other["VERSION"]
    names = {path.relative_to(pages[0]).as_posix() for path in pages[0].rglob("*") if path.is_file()}
    assert set(one["FILES"]) == {each for each in names if not each.startswith("LICENSES/")} - {"service-worker.js"}
    for name, hashes in one["FILES"].items():
        content = (pages[0] / name).read_bytes()
        assert hashes[0] == hashlib.sha256(content).hexdigest()
    packed = gzip.decompress((pages[0] / "model.onnx.gz").read_bytes())
    assert one["FILES"]["model.onnx.gz"][1] == hashlib.sha256(packed).hexdigest()


def test_the_page_is_told_what_the_model_says(tmp_path):
    model = make_tone_model(tmp_path / "model.onnx", threshold=0.6, hop_seconds=0.1)
    export_web(model, tmp_path / "page")
    facts = json.loads((tmp_path / "page" / "model.json").read_text(encoding="utf-8"))
    assert facts["labels"] == list(PITCHES)
    assert (facts["stream"]["threshold"], facts["stream"]["hop_seconds"]) == (0.6, 0.1)
    assert facts["graph"]["form"] == "windows"
    assert gzip.decompress((tmp_path / "page" / facts["graph"]["file"]).read_bytes()) == model.read_bytes()
    assert facts["curve"] is None
    assert facts["curve_note"].startswith("This model was never tuned")
    assert str(tmp_path) not in json.dumps(facts)


def test_the_form_with_a_state_goes_where_there_is_one(tmp_path):
    model = export_model(tmp_path)
    export_web(tmp_path, tmp_path / "page")
    facts = json.loads((tmp_path / "page" / "model.json").read_text(encoding="utf-8"))
    assert (facts["graph"]["file"], facts["graph"]["form"]) == ("stream.onnx.gz", "stateful")
    assert not (tmp_path / "page" / "model.onnx.gz").exists()
    packed = (tmp_path / "page" / "stream.onnx.gz").read_bytes()
    assert gzip.decompress(packed) == model.with_name("stream.onnx").read_bytes()


def test_licences_go_with_it(tmp_path):
    export_web(make_tone_model(tmp_path / "model.onnx"), tmp_path / "page")
    texts = {path.name: path.read_text(encoding="utf-8") for path in (tmp_path / "page" / "LICENSES").iterdir()}
    assert "Apache License" in texts["Apache-2.0.txt"]
    assert "MIT License" in texts["onnxruntime-web.txt"]
    assert len(texts["onnxruntime-web-ThirdPartyNotices.txt"]) > 10_000
    assert all(name in texts["README.txt"] for name in set(texts) - {"README.txt"})


def test_a_file_without_stream_settings_is_listened_to_by_the_defaults_and_says_so(tmp_path):
    done = export_web(loudness_model(tmp_path / "model.onnx", format_version="1"), tmp_path / "page")
    (note,) = done.notes
    assert "has no stream settings (older export); the defaults are taken" in note


def test_a_model_of_another_format_or_of_somebody_else_is_refused(tmp_path):
    for version, told in (("99", "format_version 99"), (None, "not one that Sayso exported")):
        with pytest.raises(ModelError, match=told):
            export_web(loudness_model(tmp_path / "model.onnx", format_version=version), tmp_path / "page")
    with pytest.raises(ModelError, match="no such model file"):
        export_web(tmp_path / "nowhere", tmp_path / "page")
    assert not (tmp_path / "page").exists()


def test_a_folder_that_is_there_is_left_alone(tmp_path):
    model = make_tone_model(tmp_path / "model.onnx")
    (tmp_path / "page").mkdir()
    (tmp_path / "page" / "mine.txt").write_text("mine")
    with pytest.raises(OutputError, match="is there already; choose a new folder"):
        export_web(model, tmp_path / "page")
    assert [path.name for path in (tmp_path / "page").iterdir()] == ["mine.txt"]
    with pytest.raises(OutputError, match="is a file; choose a folder"):
        export_web(model, model)
    with pytest.raises(OutputError, match="cannot write"):
        export_web(model, model / "page")
    (tmp_path / "empty").mkdir()
    export_web(model, tmp_path / "empty")


def test_where_onnxruntime_web_is_missing_one_line_says_how_to_get_it(tmp_path, program, runtime_made):
    (runtime_made / "ort.js").unlink()
    model = make_tone_model(tmp_path / "model.onnx")
    code, out, err = program("export", model, "--web", tmp_path / "page")
    assert (code, out) == (2, "")
    assert one_line(err).endswith("is not here; fetch it with: python -m sayso.web")
    assert not (tmp_path / "page").exists()


def test_the_program_says_where_the_page_is(tmp_path, program):
    model = make_tone_model(tmp_path / "model.onnx")
    code, out, err = program("export", model, "--web", tmp_path / "page")
    assert code == 0
    assert err.splitlines() == [f"note: {note}" for note in describe(model).notes]
    assert str(tmp_path / "page" / "index.html") in out
    out = program("export", model, "--web", tmp_path / "my page")[1]
    assert f"python -m http.server --directory '{tmp_path / 'my page'}' --bind" in out
    code, out, err = program("export", model, "--web", tmp_path / "page")
    assert (code, out) == (2, "")
    assert "is there already" in one_line(err)


def test_the_card_goes_with_it_and_no_name_does(tmp_path, program):
    recipe = "dataset: {kind: folder, path: /home/anna}"
    model = loudness_model(tmp_path / "model.onnx", recipe=recipe, card="its card")
    assert program("export", model, "--web", tmp_path / "page")[0] == 0
    assert (tmp_path / "page" / "MODEL_CARD.md").read_text(encoding="utf-8") == "its card"
    assert "MODEL_CARD" not in (tmp_path / "page" / "service-worker.js").read_text(encoding="utf-8")
    packed = gzip.decompress((tmp_path / "page" / "model.onnx.gz").read_bytes())
    assert b"anna" not in packed
    assert b"kind: folder" in packed
    facts = json.loads((tmp_path / "page" / "model.json").read_text(encoding="utf-8"))
    assert facts["graph"]["bytes"] == len(packed)
    code, out, err = program("export", model, "--web", tmp_path / "named", "--names")
    assert (code, out) == (2, "")
    assert "--names" in one_line(err)
    assert not (tmp_path / "named").exists()
