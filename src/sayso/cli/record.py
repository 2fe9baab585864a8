"""`sayso record`."""

from pathlib import Path
from typing import Annotated

import typer

from sayso.cli.console import say, warn
from sayso.system.wording import counted, in_shell

__all__ = ["record"]


def record(
    words: Annotated[
        list[str] | None, typer.Argument(metavar="WORD...", help="What is said; by default all words of the folder.")
    ] = None,
    speaker: Annotated[str | None, typer.Option(help="Who speaks; asked for where it is left out.")] = None,
    folder: Annotated[Path, typer.Option(help="Where clips are kept, made where it is missing.")] = Path("my-clips"),
    clips: Annotated[int, typer.Option(min=1, max=1000, help="Of each word by this speaker.")] = 8,
    device: Annotated[
        str | None, typer.Option(help="The microphone: its number, or a part of its name; an unknown one lists them.")
    ] = None,
) -> None:
    """Record words by a microphone, one clip after another.

    Clips land in FOLDER as word/speaker/*.flac, as those of `sayso studio`; `sayso train FOLDER` learns from them.
    """
    from sayso.runtime.microphone import Microphone
    from sayso.studio.names import read_name
    from sayso.studio.recordings import Recordings
    from sayso.studio.session import choose_words, hold_session

    def open_microphone() -> Microphone:
        return Microphone(device, tell=warn, otherwise=f"put recordings into {folder}/WORD/SPEAKER/")

    recordings = Recordings(folder)
    chosen = choose_words(recordings, words or [])
    open_microphone().close()  # or a person would type first, and then hear that there is none
    try:
        who = read_name(speaker if speaker is not None else input("who speaks? "), what="speaker")
    except EOFError as error:
        raise typer.BadParameter("nobody is named; give --speaker") from error
    kept = hold_session(
        recordings,
        chosen,
        speaker=who,
        clips=clips,
        open_microphone=open_microphone,
        ask=input,
        tell=say,
    )
    source = recordings.training_source()  # the manifest, where folders are not called as was typed
    shown = folder if source == recordings.folder else folder / source.name
    say(f"{counted(kept, 'clip')} kept in {folder}: sayso train {in_shell(shown)} learns from them")
