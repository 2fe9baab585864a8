"""What a message tells a person to type, wherever Sayso itself came from; that it is one line."""

import json
import re
import tomllib
from importlib.metadata import Distribution
from pathlib import Path

import pytest

from sayso.cli.doctor import EXTRAS
from sayso.errors import MissingExtraError, ModelError, install_command

ROOT = Path(__file__).parents[1]
FOR_WORK_ON_SAYSO = {"dev", "docs", "all"}


@pytest.mark.parametrize(
    ("origin", "command"),
    [
        (None, "pip install 'sayso[voices]'"),
        ({"url": "file:///home/ann/sayso", "dir_info": {}}, "pip install '/home/ann/sayso[voices]'"),
        (
            {"url": "file:///home/ann/my%20work", "dir_info": {"editable": True}},
            "pip install --editable '/home/ann/my work[voices]'",
        ),
        (
            {"url": "file:///tmp/sayso-0.1.0-py3-none-any.whl", "archive_info": {}},
            "pip install 'sayso[voices] @ file:///tmp/sayso-0.1.0-py3-none-any.whl'",
        ),
        (
            {"url": "https://example.org/sayso.git", "vcs_info": {"vcs": "git", "commit_id": "5d4d80a"}},
            "pip install 'sayso[voices] @ git+https://example.org/sayso.git@5d4d80a'",
        ),
    ],
    ids=["registry", "folder", "checkout", "wheel", "repository"],
)
def test_an_extra_comes_from_where_sayso_came_from(origin, command, monkeypatch, tmp_path):
    if origin:
        (tmp_path / "direct_url.json").write_text(json.dumps(origin))
    monkeypatch.setattr("sayso.errors.distribution", lambda _: Distribution.at(tmp_path))
    assert install_command("voices") == command
    assert str(MissingExtraError("voices", extra="voices")).endswith(f"not installed: {command}")


def test_extras_that_are_offered_are_used_and_those_that_are_used_are_offered():
    offered = set(EXTRAS)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert offered == set(project["optional-dependencies"]) - FOR_WORK_ON_SAYSO
    code = [path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*.py")]
    needed = {extra for text in code for extra in re.findall(r"""(?:extra=|install_command\()["'](\w+)["']""", text)}
    assert needed == offered


def test_no_message_spells_a_command_of_its_own():
    spelling = [path for path in (ROOT / "src").rglob("*.py") if "pip install" in path.read_text(encoding="utf-8")]
    assert [path.name for path in spelling] == ["errors.py"]


def test_a_message_is_one_line_that_a_terminal_shows() -> None:
    error = ModelError("a.onnx: labels are 'up\n\x1b[2Jdown\u2028\udcff', must be words – or none")
    assert str(error) == r"a.onnx: labels are 'up\n\x1b[2Jdown\u2028\udcff', must be words – or none"
