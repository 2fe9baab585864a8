"""A machine on which nothing was traced yet."""

from pathlib import Path

import pytest


@pytest.fixture
def graphs(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep the graphs of this test in a folder of its own, empty as this process's memory of them."""
    folder = tmp_path_factory.mktemp("kept") / "graphs"
    monkeypatch.setenv("SAYSO_GRAPHS", str(folder))
    monkeypatch.setattr("sayso.classifier.graph._traces", {})
    return folder
