"""What is given to others: a card, licences, and neither names nor paths."""

import json

import onnx
import pytest
from onnx import TensorProto, helper

from conftest import one_line
from models_made import loudness_model
from sayso.delivery.licences import write_licences
from sayso.delivery.model_bytes import read_metadata, with_metadata
from sayso.delivery.shared import shared_model
from sayso.errors import ModelError, SettingsError
from sayso.runs.model_card import VOICES_LICENCE
from sayso.system.files import write_json, write_text
from sayso.web import licence_files

OWN = "dataset: {kind: folder, path: /home/anna/clips}\nsplit: {by: speakers, test_speakers: [anna]}\n"


@pytest.fixture
def run(made_run):
    """A finished run of somebody's own clips, whose model names them."""
    folder = made_run("run")
    write_text(folder / "recipe.yaml", OWN)
    write_json(folder / "manifest.json", {"finished": True, "notes": ["anna/1.wav is silent"]})
    metrics = json.loads((folder / "metrics.json").read_text())
    metrics["test"]["per_class"] = {"up": {"n": 20, "recall": 0.9, "precision": 0.9}}
    write_json(folder / "metrics.json", metrics)
    loudness_model(folder / "model.onnx", recipe=OWN)
    return folder


@pytest.mark.parametrize("value", ["", "short", "é" * 100, "x" * 20_000])
def test_metadata_is_read_and_changed_as_onnx_does(tmp_path, value):
    path = loudness_model(tmp_path / "model.onnx", recipe=value)
    content = path.read_bytes()
    assert read_metadata(content) == {entry.key: entry.value for entry in onnx.load(path).metadata_props}
    changed = onnx.load_from_string(with_metadata(content, {"recipe": value + "!", "card": "new"}))
    onnx.checker.check_model(changed)
    expected = read_metadata(content) | {"recipe": value + "!", "card": "new"}
    assert {entry.key: entry.value for entry in changed.metadata_props} == expected
    assert changed.graph == onnx.load(path).graph
    assert with_metadata(content, {}) == content


def test_every_kind_of_field_is_passed_over():
    graph = helper.make_graph([], "none", [], [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])])
    model = helper.make_model(graph, producer_name="test", model_version=2**40, doc_string="about")
    helper.set_model_props(model, {"a": "1"})
    fixed = bytes([(100 << 3 | 1) & 0x7F | 0x80, (100 << 3 | 1) >> 7]) + b"12345678"  # a field of eight bytes
    changed = with_metadata(model.SerializeToString() + fixed, {"a": "2"})
    assert read_metadata(changed) == {"a": "2"}
    assert changed.count(fixed) == 1
    assert onnx.load_from_string(changed).model_version == 2**40


@pytest.mark.parametrize("damage", [b"\xff" * 20, b"\x0b", b"\x72\x7f", b"\x72\x05\x0a"])
def test_what_is_no_model_is_refused(tmp_path, damage):
    with pytest.raises(ValueError, match=r"no ONNX model|cut short"):
        read_metadata(damage)
    (tmp_path / "model.onnx").write_bytes(damage)
    with pytest.raises(ModelError, match="damaged"):
        shared_model(tmp_path / "model.onnx", tmp_path / "model.onnx")


def test_the_file_that_cannot_be_read_is_named(run):
    (run / "recipe.yaml").write_text("a: [")
    with pytest.raises(ModelError, match=r"recipe\.yaml: is damaged; leave out --names$"):
        shared_model(run, run / "model.onnx", names=True)
    (run / "recipe.yaml").write_bytes(b"\xff")
    with pytest.raises(ModelError, match=r"recipe\.yaml: cannot be read as a text file; leave out --names$"):
        shared_model(run, run / "model.onnx", names=True)
    with pytest.raises(ModelError, match=r"stream\.onnx: no such file$"):
        shared_model(run, run / "stream.onnx")


def test_neither_names_nor_paths_leave_the_house(run):
    shared = shared_model(run, run / "model.onnx")
    for text in (shared.card, *read_metadata(shared.content).values()):
        assert "anna" not in text
        assert "/home" not in text
    assert read_metadata(shared.content)["card"] == shared.card
    assert "| 1 | 10 | 80.0 % |" in shared.card
    assert shared.recipe["dataset"] == {"kind": "folder", "path": "left out"}


def test_names_stay_where_they_are_asked_for(run):
    shared = shared_model(run, run / "model.onnx", names=True)
    assert "/home/anna/clips" in read_metadata(shared.content)["recipe"]
    assert "anna/1.wav is silent" in read_metadata(shared.content)["card"]
    assert "| bob | 10 | 80.0 % |" in shared.card


def test_of_a_file_alone_no_names_can_be_had(tmp_path):
    model = loudness_model(tmp_path / "model.onnx", card="its card")
    shared = shared_model(model, model)
    assert (shared.content, shared.card) == (model.read_bytes(), "its card")
    with pytest.raises(SettingsError, match="the folder of its run may; name that"):
        shared_model(model, model, names=True)


def test_the_card_is_printed_or_said_to_be_missing(tmp_path, run, program):
    model = loudness_model(tmp_path / "model.onnx", card="its card\n")
    assert program("card", model)[:2] == (0, "its card\n")
    code, out, err = program("card", loudness_model(tmp_path / "old.onnx"))
    assert (code, out) == (2, "")
    assert one_line(err).endswith("as an earlier Sayso made it; `sayso card RUN` makes one")
    assert program("card", run)[1] == shared_model(run, run / "model.onnx").card


def test_licences_are_told_of_all_that_is_in_a_model(tmp_path):
    recipe = {"dataset": {"kind": "fsdd"}, "rejection": {"negatives": [{"kind": "synthetic"}]}}
    write_licences(tmp_path, licence_files(), ["A part."], recipe=recipe, credit="Somebody's weights, Apache-2.0")
    told = (tmp_path / "LICENSES" / "README.txt").read_text(encoding="utf-8")
    assert "A part." in told
    assert "In the model, modified (" in told
    assert "Somebody's weights, Apache-2.0; Apache-2.0.txt." in told
    assert "trained, for the words, on: Free Spoken Digit Dataset (Z. Jakobovski and others), CC BY-SA 4.0" in told
    assert VOICES_LICENCE in told
    assert "Apache License" in (tmp_path / "LICENSES" / "Apache-2.0.txt").read_text(encoding="utf-8")
    write_licences(tmp_path, licence_files(), [], recipe={"dataset": {"kind": "folder"}}, credit="")
    told = (tmp_path / "LICENSES" / "README.txt").read_text(encoding="utf-8")
    assert "espeak" not in told
    assert "modified" not in told
