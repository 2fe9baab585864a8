"""The page's server: what it shows, and what the page asks of the recordings, the training and the runs."""

from collections import Counter
from collections.abc import Awaitable, Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sayso.data.voices.espeak import is_installed
from sayso.errors import Fault, SettingsError
from sayso.http.requests import answering, read_body
from sayso.runtime.live import Tell
from sayso.studio.advice import advice_of, find_measured
from sayso.studio.corrections import Corrections, plain_take, read_sound
from sayso.studio.costs import Costs
from sayso.studio.given import give_file, give_page, give_sound
from sayso.studio.intake import LONGEST_SECONDS, MOST_BYTES, Intake
from sayso.studio.made_pages import MadePages, Study
from sayso.studio.marks import Marks, report_page
from sayso.studio.prompting import clip_seconds
from sayso.studio.recordings import Recordings
from sayso.studio.requests import read_json_body, text_of, told
from sayso.studio.runs import choose_compared, describe_runs, find_run, score_of
from sayso.studio.talk import Talk
from sayso.studio.training import Training, Wanted
from sayso.system.files import write_text
from sayso.system.wording import in_shell
from sayso.web import look

__all__ = ["Studio", "make_app"]

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_MOST_EPOCHS = 1_000
_MISTAKE = "The studio made a mistake; its terminal says which. What was kept before is there"


class Studio:
    """What the page works on.

    Args:
        folder: of the recordings.
        runs: folder of runs.
        tell: takes what the person at the terminal should know.

    Raises:
        OutputError: the folder cannot be written to.
    """

    def __init__(self, folder: Path, runs: Path, tell: Tell) -> None:
        self.recordings = Recordings(folder)
        self.intake = Intake(self.recordings)
        self.marks = Marks(self.recordings.folder)
        self.training, self.costs = Training(runs), Costs(runs)
        self.runs, self.tell = runs, tell
        studies = (Study("audit", "an", self._audit), Study("comparison", "a", self._comparison))
        self.made = [MadePages(study, self.recordings.folder, beside=runs.parent) for study in studies]

    def _audit(self) -> list[str]:
        return ["audit", str(self.recordings.training_source())]

    def _comparison(self) -> list[str]:
        also = self.training.state().get("run")
        runs = choose_compared(self.runs, self.recordings.folder, also=also)
        return ["compare", *(str(run.path) for run in runs)]

    def close(self) -> None:
        """End what runs, as Ctrl-C does."""
        if name := self.training.running_name():
            self.tell(f"the training stops; sayso train --resume {in_shell(self.runs / name)} goes on")
        self.training.close()
        self.costs.close()
        for pages in self.made:
            pages.close()

    def state(self) -> dict[str, Any]:
        """Words, people and how many clips each has, in plain values."""
        takes, words = self.recordings.takes(), self.recordings.words()
        counts = Counter((take.label, take.speaker or "") for take in takes)
        people = Counter(take.speaker or "" for take in takes)
        return {
            "folder": str(self.recordings.folder),
            "words": [
                {
                    "word": word.word,
                    "spoken": word.spoken,
                    "seconds": clip_seconds(word.spoken or word.word),
                    "clips": sum(count for (label, _), count in counts.items() if label == word.word),
                    "by": {speaker: count for (label, speaker), count in counts.items() if label == word.word},
                }
                for word in words
            ],
            "speakers": [{"speaker": name, "clips": count} for name, count in sorted(people.items()) if name],
            "clips": len(takes),
            "corrections": len(self.recordings.corrections()),
            "remarks": sum(bool(take.take.get("remarks")) for take in takes),
            "nameless": self.recordings.nameless(),
            "voices": is_installed(),
            "limits": {"seconds": LONGEST_SECONDS, "bytes": MOST_BYTES},
        }

    def wanted(self, values: dict[str, Any]) -> Wanted:
        """What a training is asked for: of the clips, or where there are none of the words alone.

        Raises:
            SettingsError: it does not fit, or there are too few words.
        """
        takes, words = self.recordings.takes(), self.recordings.words()
        epochs, language = values.get("epochs"), values.get("language", "")
        if epochs is not None and not (type(epochs) is int and 1 <= epochs <= _MOST_EPOCHS):
            raise SettingsError([Fault("", f"epochs must be a whole number from 1 to {_MOST_EPOCHS:,}, or left empty")])
        if not isinstance(language, str) or language.startswith("-") or len(language) > 100:
            raise SettingsError([Fault("", "the language must be such as en, de or fr")])
        if len(words) < 2 or (takes and len({take.label for take in takes}) < 2):
            have = "clips of two words" if takes else "two words"
            raise SettingsError([Fault("", f"a recogniser needs at least {have}; there are fewer")])
        file = None
        if not takes:
            if odd := [word.word for word in words if set(word.word + word.spoken) & {"=", "#"}]:
                raise SettingsError(
                    [Fault("", f"synthetic voices cannot say '{odd[0]}'; record it, or write it plainly")]
                )
            file = self.recordings.folder / "words.txt"
            write_text(file, "".join(f"{word.word}={word.spoken or word.word}\n" for word in words))
        return Wanted(
            source=self.recordings.training_source() if takes else None,
            words_file=file,
            language=language.strip(),
            small=values.get("small") is True,
            epochs=epochs,
            overrides=tuple(self.marks.overrides()) if takes else (),
        )


def make_app(studio: Studio) -> Starlette:
    """Put together what answers the page, without its guard."""
    pages = _Pages()
    clips = _Clips(studio)
    corrections = Corrections(studio.recordings, studio.intake)
    runs = _Runs(studio)
    talk = Talk(studio.runs)

    async def fail(request: Request, error: Exception) -> Response:
        """Say that something went wrong here."""
        studio.tell(f"{request.url.path}: {type(error).__name__}: {error}")
        return JSONResponse({"error": _MISTAKE}, 500)

    return Starlette(
        exception_handlers={Exception: fail},
        routes=[
            Route("/", pages.show),
            Route("/pages/{name}", pages.show),
            _route("/api/state", clips.state, "GET"),
            _route("/api/words", clips.set_words, "PUT"),
            _route("/api/clips", clips.list, "GET"),
            _route("/api/clips", clips.record, "POST"),
            _route("/api/files", clips.take_file, "POST"),
            _route("/api/corrections", corrections.list, "GET"),
            _route("/api/corrections", corrections.keep, "POST"),
            _route("/api/clips/{path:path}", clips.sound, "GET"),
            _route("/api/clips/{path:path}", clips.remove, "DELETE"),
            _route("/api/training", runs.training, "GET"),
            _route("/api/training", runs.start, "POST"),
            _route("/api/training", runs.cancel, "DELETE"),
            _route("/api/runs", runs.list, "GET"),
            _route("/api/runs/{name}", runs.score, "GET"),
            _route("/api/runs/{name}/costs", studio.costs.state, "GET"),
            _route("/api/runs/{name}/costs", studio.costs.start, "POST"),
            _route("/api/runs/{name}/costs", studio.costs.cancel, "DELETE"),
            _route("/api/runs/{name}/marks", runs.marks, "GET"),
            _route("/api/runs/{name}/marks", runs.set_marks, "PUT"),
            _route("/api/runs/{name}/resume", runs.resume, "POST"),
            _route("/runs/{name}/report.html", runs.report, "GET"),
            _route("/runs/{name}/web/{file}", talk.model, "GET"),
            _route("/web/{file:path}", talk.asset, "GET"),
            _route("/runs/{name}/model.onnx", runs.model, "GET"),
            *(route for pages in studio.made for route in pages.routes(studio.marks)),
        ],
    )


def _route(path: str, handler: Callable[[Request], Awaitable[Response]], method: str) -> Route:
    return Route(path, answering(handler), methods=[method])


class _Pages:
    """The files of the page, read once: nothing but these is served as a page."""

    def __init__(self) -> None:
        self._files = {
            each.name: each.read_bytes() for each in files("sayso.studio").joinpath("pages").iterdir() if each.is_file()
        }
        self._files["look.css"] = look().encode()

    async def show(self, request: Request) -> Response:
        name = request.path_params.get("name", "index.html")
        kind = _TYPES.get(Path(name).suffix)
        if kind is None or name not in self._files:
            return Response("There is no such page.\n", 404, media_type="text/plain")
        return Response(self._files[name], media_type=kind)


class _Clips:
    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    async def state(self, request: Request) -> Response:
        del request
        return JSONResponse(await run_in_threadpool(self._studio.state))

    async def set_words(self, request: Request) -> Response:
        values = (await read_json_body(request)).get("words")
        if not isinstance(values, list) or not all(isinstance(each, dict) for each in values):
            raise SettingsError([Fault("", "the request does not say its words")])
        words = [(text_of(each, "word"), text_of({"spoken": ""} | each, "spoken")) for each in values]
        await run_in_threadpool(self._studio.recordings.set_words, words)
        return await self.state(request)

    async def list(self, request: Request) -> Response:
        takes = await run_in_threadpool(self._studio.recordings.takes)
        speaker = request.query_params.get("speaker")
        return JSONResponse({"clips": [plain_take(take) for take in takes if speaker in (None, take.speaker or "")]})

    async def record(self, request: Request) -> Response:
        sound = await read_sound(request)
        word = text_of(sound.facts, "word")
        take = await run_in_threadpool(
            self._studio.intake.record, word, sound.speaker, sound.samples, sound.sample_rate, settings=sound.settings
        )
        return JSONResponse(plain_take(take), 201)

    async def take_file(self, request: Request) -> Response:
        facts = told(request)
        word, speaker, name = (text_of(facts, key) for key in ("word", "speaker", "name"))
        content = await read_body(request, most=MOST_BYTES, what=f"'{Path(name).name[:80]}'")
        take = await run_in_threadpool(self._studio.intake.take_file, word, speaker, name, content)
        return JSONResponse(plain_take(take), 201)

    async def sound(self, request: Request) -> Response:
        take = await run_in_threadpool(self._studio.recordings.find, request.path_params["path"])
        return give_sound(self._studio.recordings.folder / take.path)

    async def remove(self, request: Request) -> Response:
        await run_in_threadpool(self._studio.recordings.remove, request.path_params["path"])
        return await self.state(request)


class _Runs:
    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    async def training(self, request: Request) -> Response:
        del request
        return JSONResponse(await run_in_threadpool(self._studio.training.state))

    async def start(self, request: Request) -> Response:
        values = await read_json_body(request)
        await run_in_threadpool(self._start, values)
        return await self.training(request)

    def _start(self, values: dict[str, Any]) -> None:
        wanted = self._studio.wanted(values)
        run = self._studio.training.start(wanted, name=self._studio.recordings.folder.name or "studio")
        self._studio.tell(f"training {run}")

    async def cancel(self, request: Request) -> Response:
        await run_in_threadpool(self._studio.training.cancel)
        return await self.training(request)

    async def resume(self, request: Request) -> Response:
        run = await run_in_threadpool(find_run, self._studio.runs, request.path_params["name"])
        await run_in_threadpool(self._studio.training.resume, run.path)
        return await self.training(request)

    async def list(self, request: Request) -> Response:
        del request
        also = self._studio.training.state().get("run")
        folder = self._studio.recordings.folder
        runs = await run_in_threadpool(lambda: describe_runs(self._studio.runs, folder, also=also))
        return JSONResponse({"runs": runs})

    async def score(self, request: Request) -> Response:
        return JSONResponse(await run_in_threadpool(self._score, request.path_params["name"]))

    def _score(self, name: str) -> dict[str, Any]:
        run = find_run(self._studio.runs, name)
        recordings = self._studio.recordings
        measured = find_measured(self._studio.runs.parent, recordings.folder)
        return score_of(run) | advice_of(run.manifest(), recordings.takes(), measured=measured)

    async def marks(self, request: Request) -> Response:
        run = await run_in_threadpool(find_run, self._studio.runs, request.path_params["name"])
        return JSONResponse({"marks": await run_in_threadpool(lambda: self._studio.marks.of_page(report_page(run)))})

    async def set_marks(self, request: Request) -> Response:
        values = await read_json_body(request)
        run = await run_in_threadpool(find_run, self._studio.runs, request.path_params["name"])
        marks = self._studio.marks
        return JSONResponse({"marks": await run_in_threadpool(lambda: marks.write_asked(report_page(run), values))})

    async def report(self, request: Request) -> Response:
        run = await run_in_threadpool(find_run, self._studio.runs, request.path_params["name"])
        return give_page(run.report, of="run")

    async def model(self, request: Request) -> Response:
        run = await run_in_threadpool(find_run, self._studio.runs, request.path_params["name"])
        return give_file(run.onnx, of="run")
