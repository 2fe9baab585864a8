"""`sayso adapt`."""

from pathlib import Path
from typing import Annotated

import typer

from sayso.cli.console import Bars, say
from sayso.cli.options import Language
from sayso.cli.results import say_where, show_run
from sayso.system.wording import in_shell

__all__ = ["adapt"]


def adapt(
    run: Annotated[Path, typer.Argument(help="A finished run's folder.")],
    clips: Annotated[
        Path,
        typer.Argument(
            help="A folder with clips by word, or a manifest; clips in _none_of_these_ beside them train as none."
        ),
    ],
    language: Language = None,
    marks: Annotated[
        Path | None,
        typer.Option(help="A marks.csv of an audit's page: new clips to leave out, or of another word."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The new run's folder; default: runs/<name>-adapted-<time>.")] = None,
) -> None:
    """Add words, or more recordings of known ones, to a run.

    It goes on from the run's weights and kept features, which takes seconds.

    Where speakers were left out in turn, or the run learned on streams, it may take as long as the run took.

    The old run stays as it is; its clips are tested again, to say what the new words cost the old ones.
    """
    from sayso.experiment import adapt as experiment

    adapted = experiment.adapt(run, clips, language=language, marks=marks, out=out, progress=Bars())
    show_run(adapted.run)
    say(f"old words    {adapted.cost}")
    if adapted.new_words:
        names = ", ".join(adapted.new_words)
        say(
            f"new words    {names}: nothing tests them; where you have other recordings of them, "
            f"sayso evaluate {in_shell(adapted.run.path)} --on FOLDER does"
        )
    say_where(adapted.run)
