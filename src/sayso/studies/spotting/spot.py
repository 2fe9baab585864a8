"""`spot`: recordings and a model in, detections out; and where it is known what was said, what they are worth."""

import os
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from sayso.audio import SoundBlocks
from sayso.data.datasets.folder.branch import LeftOut, read_branch
from sayso.errors import AudioError, DataError
from sayso.metrics.detection import WITHIN_SECONDS, Heard
from sayso.runs.folder import new_folder
from sayso.runtime import Detection, Recognizer, StreamSettings
from sayso.runtime.long_files import FileListener
from sayso.studies.spotting.result import Spotted, Spotting
from sayso.studies.spotting.truth import Recording, Truth, read_truth
from sayso.system.files import check_writable
from sayso.system.progress import Progress, Task

__all__ = ["spot"]

# Shorter work needs no bar.
_LONG_SECONDS = 300


def spot(
    sources: Sequence[Path],
    recognizer: Recognizer,
    *,
    settings: StreamSettings | None = None,
    truth: Path | None = None,
    ignore_unknown: bool = False,
    within_seconds: float = WITHIN_SECONDS,
    out: Path | None = None,
    progress: Progress | None = None,
    found: Callable[[Spotted], None] | None = None,
) -> Spotting:
    """Listen to recordings of any length, one after the other.

    Ctrl-C ends it, and gives what was heard so far.

    Args:
        sources: sound files, and folders, whose sound files are taken with those below.
        recognizer: the model.
        settings: how it is listened to; None: as its file says.
        truth: what was said: as `read_truth`; None: not known.
        ignore_unknown: labels that are no words of the model are other speech; else they are refused.
        within_seconds: how long after its end a word may be detected.
        out: a new folder for a page with every error to hear, a timeline, and all as JSON; None: nothing is written.
        progress: where to report.
        found: called with each recording as soon as it was listened to.

    Raises:
        DataError: no sound files, or a truth that does not fit them; a file that cannot be read is none, but told in
            `Spotting.failed`.
        SettingsError: a threshold is of a word that the model does not know.
        ModelError: the streaming form beside the model cannot be read.
        RunError: `out` is there and not empty.
        OutputError: it cannot be written.
    """
    with _writing(out) as write:
        listener = FileListener(recognizer, settings)
        opened, failed, notes = _open(sources)
        known = None
        if truth is not None:
            known = read_truth(truth, list(opened), recognizer.labels, ignore_unknown=ignore_unknown)
            notes += known.notes
        notes += [listener.note] if listener.note else []
        files: list[Spotted] = []
        for spotted in _listen_to_all(listener, opened, failed, progress or Progress()):
            judged = _judge(spotted, known, recognizer.labels, within_seconds)
            files.append(judged)
            if found:
                found(judged)
        facts = (str(recognizer.path), recognizer.labels, listener.settings, listener.form)
        spotting = Spotting(*facts, tuple(files), tuple(failed), tuple(notes), within_seconds)
        return write(spotting)


@contextmanager
def _writing(out: Path | None) -> Generator[Callable[[Spotting], Spotting]]:
    """Give what writes the page of a result into a folder, or nothing; long work is not begun where it cannot."""
    if out is None:
        yield lambda spotting: spotting
        return
    from sayso.studies.spotting.page import write_spotting

    def write(spotting: Spotting) -> Spotting:
        write_spotting(folder, spotting)
        return replace(spotting, folder=folder)

    with new_folder("spotted", "", out) as folder:
        check_writable(folder)
        yield write


def _open(sources: Sequence[Path]) -> tuple[dict[Recording, SoundBlocks], list[tuple[str, str]], list[str]]:
    """Open every recording once; gives those that can be, in order, the others with the reason, and notes."""
    opened: dict[Recording, SoundBlocks] = {}
    failed: list[tuple[str, str]] = []
    notes: list[str] = []
    seen: set[str] = set()
    for path, below in (pair for source in sources for pair in _find(source, notes)):
        if (real := os.path.realpath(path)) in seen:
            continue
        seen.add(real)
        try:
            blocks = SoundBlocks(path, goes_on=True)
        except AudioError as error:
            failed.append((path, str(error)))
        else:
            opened[Recording(path, below, blocks.seconds)] = blocks
    return opened, failed, notes


def _find(source: Path, notes: list[str]) -> Iterator[tuple[str, str]]:
    """Yield the sound files that are meant, each with its place below what was named."""
    if not source.is_dir():
        yield str(source), source.name
        return
    left_out = LeftOut(str(source))
    branch = read_branch(str(source), left_out)
    paths = sorted([*(path for path, _ in branch.recordings()), *left_out.noise])
    if not paths:
        raise DataError(f"{source}: no sound files in this folder, nor in those below")
    notes += left_out.notes()
    yield from ((path, os.path.relpath(path, source)) for path in paths)


def _listen_to_all(
    listener: FileListener,
    opened: Mapping[Recording, SoundBlocks],
    failed: list[tuple[str, str]],
    progress: Progress,
) -> Iterator[Spotted]:
    """Yield what is detected in each recording, until the last, or Ctrl-C; of others the reason goes to `failed`."""
    total = sum(recording.seconds for recording in opened)
    reporting = progress if total >= _LONG_SECONDS else Progress()
    with reporting.task("listening", total=round(total), unit="s of sound") as task:
        for recording, blocks in opened.items():
            spotted, error = _listen(listener, recording, blocks, task)
            if error:
                failed.append((recording.path, error))
            if spotted.heard_seconds or not error:
                yield spotted
            if not (spotted.is_whole or error):
                return


def _listen(listener: FileListener, recording: Recording, blocks: SoundBlocks, task: Task) -> tuple[Spotted, str]:
    """Listen to a recording as far as can be; gives what broke it off too, empty where nothing did."""
    detections: list[Detection] = []
    seconds, is_whole, damage = 0.0, False, ""
    try:
        for step in listener.listen(blocks):
            detections += step.detections
            task.advance(round(step.seconds) - round(seconds))
            seconds = step.seconds
        is_whole = True
    except KeyboardInterrupt:
        pass
    except AudioError as error:
        damage = str(error)  # the error itself would keep all that it came through, resamplers too
    remarks = list(blocks.read.remarks)
    window = listener.window_seconds
    if is_whole and seconds < window:
        remarks.append(f"shorter than the {window:g} s that the model hears at once, so that nothing can be found")
    heard = (seconds, tuple(detections), listener.delay_seconds, tuple(remarks))
    return Spotted(recording.path, recording.seconds, *heard, is_whole=is_whole), damage


def _judge(spotted: Spotted, truth: Truth | None, words: Sequence[str], within_seconds: float) -> Spotted:
    """Hold what was detected in a whole recording against what was said in it, where that is known."""
    if truth is None or not spotted.is_whole:
        return spotted
    said = truth.stretches[spotted.path]
    heard = Heard.of(spotted.heard_seconds, said, spotted.firings, within_seconds=within_seconds)
    missed = [said[place] for place in heard.outcome.misses]
    return replace(spotted, heard=heard, misses=tuple(one for one in missed if one.label in words))
