"""What is asked by HTTP, and the routes of it all."""

import asyncio
from collections.abc import Iterable
from importlib.metadata import version
from importlib.resources import files
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from sayso.config.overrides import load_yaml
from sayso.errors import Fault, ModelError, SettingsError
from sayso.http.requests import OverloadedError, answering, read_body
from sayso.serve.api.api import MISTAKE, Api
from sayso.serve.api.prediction import predict
from sayso.serve.api.stream_session import StreamSession
from sayso.serve.models import ServedModel

__all__ = ["MOST_BYTES", "make_app", "read_description"]

MOST_BYTES = 16 << 20
"""Of a sound file that is sent."""
_SENDING_SECONDS = 60.0
_SHOWN = 40


def make_app(api: Api) -> Starlette:
    """Put together what is asked, without its gate."""
    routes = _Routes(api)

    async def stream(websocket: WebSocket) -> None:
        """Listen for one client over its WebSocket."""
        await StreamSession(websocket, api).run()

    async def refuse(request: Request, error: Exception) -> Response:
        """Say what is wrong as JSON."""
        assert isinstance(error, HTTPException)
        what = f"{error.detail}: {request.method} {request.url.path[:_SHOWN]}; see /api/openapi.json"
        return JSONResponse({"error": what}, error.status_code, headers=error.headers)

    async def fail(request: Request, error: Exception) -> Response:
        """Say that something went wrong here."""
        api.tell(f"{request.url.path}: {type(error).__name__}: {error}")
        return JSONResponse({"error": MISTAKE}, 500)

    return Starlette(
        routes=[
            Route("/api/health", routes.health, methods=["GET"]),
            Route("/api/model", routes.model, methods=["GET"]),
            Route("/api/openapi.json", routes.openapi, methods=["GET"]),
            Route("/api/predict", answering(routes.predict), methods=["POST"]),
            Route("/api/stream", routes.no_stream, methods=["GET"]),
            WebSocketRoute("/api/stream", stream),
        ],
        exception_handlers={HTTPException: refuse, Exception: fail},
    )


def read_description(models: Iterable[str]) -> dict[str, Any]:
    """Read what the interface to models of these names is, as OpenAPI (https://spec.openapis.org/oas/v3.1.1.html)."""
    text = files("sayso.serve.api").joinpath("openapi.yaml").read_text("utf-8")
    description = load_yaml(text.replace("VERSION", version("sayso")))
    description["components"]["parameters"]["model"]["schema"]["enum"] = list(models)
    return description


class _Routes:
    def __init__(self, api: Api) -> None:
        self._api = api
        self._models = [_describe(name, model) for name, model in api.models.items()]
        self._openapi = read_description(api.models)

    async def health(self, request: Request) -> Response:
        del request
        streams = self._api.streams
        facts = {"version": version("sayso"), "models": list(self._api.models)}
        return JSONResponse(facts | {"streams": {"open": streams.taken, "most": streams.most}})

    async def model(self, request: Request) -> Response:
        del request
        return JSONResponse({"models": self._models})

    async def openapi(self, request: Request) -> Response:
        del request
        return JSONResponse(self._openapi)

    async def no_stream(self, request: Request) -> Response:
        del request
        return JSONResponse(
            {"error": "Streams are WebSockets; open this address as one"},
            426,
            headers={"upgrade": "websocket", "connection": "upgrade"},
        )

    async def predict(self, request: Request) -> Response:
        if strange := [key for key in request.query_params if key != "model"]:
            raise SettingsError([Fault(strange[0][:_SHOWN], "unknown parameter; there is model alone")])
        name, model = self._api.find(request.query_params.get("model"))
        with self._api.predictions.one() as taken:
            if not taken:
                raise OverloadedError("more is asked at once than can be computed; ask again in a moment")
            async with asyncio.timeout(_SENDING_SECONDS):
                content = await read_body(request, most=MOST_BYTES, what="the sound")
            try:
                answer = await self._api.compute(lambda: predict(model.recognizer, content))
            except ModelError as error:
                self._api.tell(f"/api/predict: {error}")
                return JSONResponse({"error": MISTAKE}, 500)
            self._api.predictions.used()
        return JSONResponse({"model": name} | answer)


def _describe(name: str, model: ServedModel) -> dict[str, Any]:
    recognizer, stream = model.recognizer, model.listen()
    return {
        "name": name,
        "words": list(model.words),
        "rate": recognizer.audio.sample_rate,
        "clip_seconds": recognizer.audio.clip_seconds,
        "threshold": recognizer.threshold,
        "version": model.version,
        "credit": recognizer.credit,
        "stream": {
            "hop_seconds": stream.settings.hop_seconds,
            "thresholds": {word: stream.settings.threshold_of(word) for word in model.words},
        },
    }
