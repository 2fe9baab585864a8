"""The model of a run as the page runs it: the modules of `sayso.web`, and what it is told of the model."""

from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response

from sayso.errors import DataError, OutputError
from sayso.studio.runs import find_run
from sayso.web import MODEL_JSON, Described, asset_files, describe, runtime_files

__all__ = ["Talk"]

_TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".gz": "application/gzip"}
_GRAPH = "application/octet-stream"


class Talk:
    """Gives out what the step Talk loads.

    Args:
        runs: folder of runs.
    """

    def __init__(self, runs: Path) -> None:
        self._runs = runs

    async def asset(self, request: Request) -> Response:
        """Give a module or a style, or a file of onnxruntime-web; nothing but these is found."""
        name = request.path_params["file"]
        files = dict(asset_files())
        try:
            files |= runtime_files()
        except OutputError:
            if Path(name).parent == Path("onnxruntime"):
                raise
        if name not in files or (kind := _TYPES.get(files[name].suffix)) is None:
            raise DataError("there is no such file")
        return FileResponse(files[name], media_type=kind)

    async def model(self, request: Request) -> Response:
        """Give `model.json`, or the graph that it names."""
        name, file = request.path_params["name"], request.path_params["file"]
        described = await run_in_threadpool(self._describe, name)
        if file == MODEL_JSON:
            return JSONResponse(described.facts)
        if file != described.graph.name:
            raise DataError("there is no such file")
        return FileResponse(described.graph, media_type=_GRAPH)

    def _describe(self, name: str) -> Described:
        return describe(find_run(self._runs, name).path)
