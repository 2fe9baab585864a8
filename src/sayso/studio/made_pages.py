"""Pages about the recordings that a command makes: an audit of them, a comparison of what was trained from them."""

import os
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sayso.data.listed_clips import ListedClips, read_listed_clips
from sayso.errors import DataError, SaysoError
from sayso.http.requests import answering
from sayso.studio.given import give_page
from sayso.studio.jobs import Job, free_path
from sayso.studio.marks import MarkedPage, Marks
from sayso.studio.requests import read_json_body
from sayso.studio.takes import MANIFEST

__all__ = ["MadePages", "Study"]

_MOST_SHOWN = 20


@dataclass(frozen=True)
class Study:
    """A kind of page."""

    noun: str
    """Such as `audit`; its folders lie in `audits`, its page is `audit.html`."""
    article: str
    command: Callable[[], Sequence[str]]
    """Gives what follows `sayso`, without the folder that is made; raises SaysoError where that cannot be asked now."""

    def why_not(self) -> str:
        """Say why it cannot be asked now; empty where it can."""
        try:
            self.command()
        except SaysoError as error:
            return str(error)
        return ""


class MadePages:
    """The pages of one kind: made one at a time, found again on the disk, and marked.

    Args:
        study: the kind.
        folder: of the recordings.
        beside: where `sayso` was started: folders of pages are made there as the command line makes them.
    """

    def __init__(self, study: Study, folder: Path, *, beside: Path) -> None:
        self._study, self._folder = study, folder
        self._root = beside / f"{study.noun}s"
        self._job = Job(f"{study.article} {study.noun}")

    def start(self) -> Path:
        """Begin to make one; gives its folder.

        Raises:
            RunError: one is being made.
            SaysoError: it cannot be asked now.
        """
        command = self.command()
        return self._job.start(
            lambda: free_path(self._root, self._folder.name or "studio"),
            lambda out: [*command, "--out", str(out)],
        )

    def command(self) -> Sequence[str]:
        """What follows `sayso`, without the folder that is made; errors as `start`."""
        return self._study.command()

    def cancel(self) -> None:
        """Stop as Ctrl-C does."""
        self._job.cancel()

    def close(self) -> None:
        """Stop, and wait until it has ended."""
        self._job.close()

    def state(self) -> dict[str, Any]:
        """How the making goes, as `Job.state`."""
        return self._job.state()

    def all(self) -> list[dict[str, Any]]:
        """The pages of these recordings, newest first, in plain values: `name`, `clips` that were looked at."""
        return [{"name": path.name, "clips": listed.total} for path, listed in self._found()][:_MOST_SHOWN]

    def find(self, name: str) -> tuple[Path, MarkedPage]:
        """The page of this name, and its clips; nothing but pages of these recordings is found.

        Raises:
            DataError: there is none.
        """
        for path, listed in self._found():
            if path.name == name:
                return path / f"{self._study.noun}.html", MarkedPage(listed, self._study.noun)
        raise DataError(f"there is no such {self._study.noun}; it was removed, or never there")

    def _found(self) -> Iterator[tuple[Path, ListedClips]]:
        pages = [page.parent for page in self._root.glob(f"*/{self._study.noun}.html")]
        for path in sorted(pages, key=lambda path: (_changed(path), path.name), reverse=True):
            with suppress(DataError):
                listed = read_listed_clips(path)
                if self._is_own(listed):
                    yield path, listed

    def _is_own(self, listed: ListedClips) -> bool:
        own = (self._folder.resolve(), self._folder.resolve() / MANIFEST)
        within = os.path.join(self._folder, "")  # noqa: PTH118 - with a separator at its end
        return (bool(listed.source) and Path(listed.source).resolve() in own) or any(
            path.startswith(within) for path, _ in listed.parts
        )

    def routes(self, marks: Marks) -> list[Route]:
        """What the page asks of them."""
        noun, asked = self._study.noun, _Asked(self, marks, self._study)
        return [
            _route(f"/api/{noun}", asked.state, "GET"),
            _route(f"/api/{noun}", asked.start, "POST"),
            _route(f"/api/{noun}", asked.cancel, "DELETE"),
            _route(f"/api/{noun}s", asked.all, "GET"),
            _route(f"/api/{noun}s/{{name}}/marks", asked.marks, "GET"),
            _route(f"/api/{noun}s/{{name}}/marks", asked.set_marks, "PUT"),
            _route(f"/{noun}s/{{name}}/page.html", asked.page, "GET"),
        ]


class _Asked:
    def __init__(self, pages: MadePages, marks: Marks, study: Study) -> None:
        self._pages, self._marks, self._study = pages, marks, study

    async def state(self, request: Request) -> Response:
        del request
        return JSONResponse(await run_in_threadpool(self._pages.state))

    async def start(self, request: Request) -> Response:
        await run_in_threadpool(self._pages.start)
        return await self.state(request)

    async def cancel(self, request: Request) -> Response:
        await run_in_threadpool(self._pages.cancel)
        return await self.state(request)

    async def all(self, request: Request) -> Response:
        del request
        pages = await run_in_threadpool(self._pages.all)
        return JSONResponse({"pages": pages, "why_not": await run_in_threadpool(self._study.why_not)})

    async def page(self, request: Request) -> Response:
        path, _ = await self._find(request)
        return give_page(path, of=self._study.noun)

    async def marks(self, request: Request) -> Response:
        _, page = await self._find(request)
        return JSONResponse({"marks": await run_in_threadpool(self._marks.of_page, page)})

    async def set_marks(self, request: Request) -> Response:
        values = await read_json_body(request)
        _, page = await self._find(request)
        return JSONResponse({"marks": await run_in_threadpool(self._marks.write_asked, page, values)})

    async def _find(self, request: Request) -> tuple[Path, MarkedPage]:
        return await run_in_threadpool(self._pages.find, request.path_params["name"])


def _route(path: str, handler: Callable[[Request], Awaitable[Response]], method: str) -> Route:
    return Route(path, answering(handler), methods=[method])


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:  # removed meanwhile
        return 0.0
