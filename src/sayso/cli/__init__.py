"""The program. One command a file: it parses, calls one room, prints. Nothing heavy is imported for help."""

import errno
import os
import sys

import typer

from sayso.cli import (
    adapt,
    audit,
    background_curve,
    card,
    compare,
    data,
    demo,
    doctor,
    evaluate,
    export,
    find_lr,
    init,
    learning_curve,
    list_parts,
    listen,
    predict,
    record,
    runs,
    serve,
    show,
    spot,
    studio,
    train,
    tune,
    verify,
)
from sayso.cli.console import print_any_name, warn
from sayso.errors import SaysoError, install_command
from sayso.system.distributed import this_process
from sayso.system.files import why_unread
from sayso.system.installed import TRAINING_PACKAGES

__all__ = ["app", "main"]

app = typer.Typer(
    name="sayso",
    help="Turn recordings of spoken words into a recogniser you can trust and ship.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode=None,
)
app.command()(train.train)
app.command()(adapt.adapt)
app.command()(evaluate.evaluate)
app.command()(predict.predict)
app.command()(listen.listen)
app.command()(spot.spot)
app.command()(record.record)
app.command()(studio.studio)
app.command()(serve.serve)
app.command()(tune.tune)
app.command()(export.export)
app.command()(card.card)
app.command()(verify.verify)
app.command()(audit.audit)
app.command()(compare.compare)
app.command("learning-curve")(learning_curve.learning_curve)
app.command("background-curve")(background_curve.background_curve)
app.command()(init.init)
app.command("find-lr")(find_lr.find_lr)
app.command()(demo.demo)
app.command("list")(list_parts.list_parts)
app.command()(doctor.doctor)
app.add_typer(data.app, name="data")
app.add_typer(runs.app, name="runs")
app.add_typer(show.app, name="show")


@app.callback(invoke_without_command=True)
def version(
    show: bool = typer.Option(False, "--version", help="Print the version and stop.", is_eager=True),
) -> None:
    """Turn recordings of spoken words into a recogniser you can trust and ship."""
    if show:
        from importlib.metadata import version as installed

        print(f"sayso {installed('sayso')}")
        raise typer.Exit


def main() -> None:
    """Run the program; every error a person can meet becomes one line and exit code 2."""
    print_any_name()
    try:
        app()
    except SaysoError as error:
        warn(f"sayso: {error}")
        sys.exit(error.exit_code)
    except SystemExit as end:
        if end.code == _INTERRUPTED and this_process().leads:  # what typer makes of Ctrl-C, without a word
            warn("sayso: stopped; earlier runs are untouched")
        raise
    except ModuleNotFoundError as error:
        if error.name and error.name.split(".")[0] in TRAINING_PACKAGES:
            warn(f"sayso: this needs {error.name}, which is not installed: {install_command('train')}")
            sys.exit(2)
        raise
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS):
            why = why_unread(error, f"{os.strerror(error.errno)}; earlier runs are untouched")
            warn(f"sayso: {error.filename or 'output'}: {why}")
            sys.exit(2)
        raise


_INTERRUPTED = 130
