"""What the studio's last step loads: the modules of `sayso.web` and one run's model, and nothing else."""

import shutil

import pytest

pytest.importorskip("starlette", reason="needs the extra serve")

from sayso.web import MODEL_JSON, describe
from streams_made import export_model
from studio_made import make_studio


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    return export_model(tmp_path_factory.mktemp("exported") / "made").parent


@pytest.fixture
def page(tmp_path, exported):
    run = tmp_path / "runs" / "one"
    shutil.copytree(exported, tmp_path / "made")
    shutil.copytree(exported, run)
    (run / "recipe.yaml").write_text("dataset: {kind: fsdd}\n")
    return make_studio(tmp_path)[1]


def test_a_run_is_told_and_given_as_an_export_would(page, tmp_path):
    told = page.get(f"/runs/one/web/{MODEL_JSON}").json()
    described = describe(tmp_path / "runs" / "one")
    assert told == described.facts
    assert page.get(f"/runs/one/web/{told['graph']['file']}").content == described.graph.read_bytes()


@pytest.mark.parametrize("name", ["talk.js", "sayso.js", "worker.js", "worklet.js", "talk.css"])
def test_modules_are_given_with_the_policy_of_the_page(page, name):
    answer = page.get(f"/web/{name}")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith(("text/javascript", "text/css"))
    assert "default-src 'none'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    "path",
    [
        "/web/assets.py",
        "/web/..%2ffetch.py",
        "/web/index.html",
        "/web/onnxruntime/..%2fsayso.js",
        "/runs/one/web/recipe.yaml",
        "/runs/one/web/..%2frecipe.yaml",
        "/runs/two/web/model.json",
        "/runs/..%2fmade/web/model.json",
    ],
)
def test_nothing_else_is_found(page, path):
    assert page.get(path).status_code in (404, 409)


def test_a_model_that_is_none_is_one_sentence(page, tmp_path):
    for file in (tmp_path / "runs" / "one").glob("*.onnx"):
        file.write_bytes(b"no model")
    answer = page.get("/runs/one/web/model.json")
    assert answer.status_code == 400
    assert "\n" not in answer.json()["error"]
