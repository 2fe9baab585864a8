"""Wheels have onnxruntime-web inside, for `sayso export --web`; a checkout fetches it by `make web`."""

import importlib.util
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class OnnxruntimeWeb(BuildHookInterface):
    """Fetches the pinned archive before a wheel is built."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Fetch, unless the package is only linked to, as by `pip install --editable`."""
        if version == "editable":
            return
        place = Path(self.root) / "src" / "sayso" / "web" / "fetch.py"
        spec = importlib.util.spec_from_file_location("fetch", place)
        if not spec or not spec.loader:
            raise FileNotFoundError(place)
        fetch = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(fetch)
        try:
            fetch.fetch()
        except fetch.UnreachableError as error:  # no reason to have no Sayso at all
            self.app.display_warning(f"{error}; this wheel is without it")
            return
        build_data["artifacts"].append("/src/sayso/web/browser/onnxruntime/*")
