"""The program. One command a file: it parses, calls one room, prints. Nothing heavy is imported for help."""

import errno
import os
import re
import sys
from typing import Any

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
    context: typer.Context,
    show: bool = typer.Option(False, "--version", help="Print the version and stop.", is_eager=True),
) -> None:
    """Turn recordings of spoken words into a recogniser you can trust and ship."""
    if show:
        from importlib.metadata import version as installed

        print(f"sayso {installed('sayso')}")
        raise typer.Exit
    if this_process().count > 1 and context.invoked_subcommand not in (None, "train"):
        if not this_process().leads:
            raise typer.Exit(2)
        alone = f"{context.invoked_subcommand} is the work of one process, and sayso train alone that of several"
        raise typer.BadParameter(f"{alone}; start it without torchrun")


def main() -> None:
    """Run the program; every error a person can meet becomes one line and exit code 2."""
    print_any_name()
    try:
        code = _run()
        if code == _INTERRUPTED and this_process().leads:  # what typer makes of Ctrl-C, without a word
            warn("sayso: stopped; earlier runs are untouched")
    except Exception as error:
        if not (said := _explain(error)):
            raise
        warn(said)
        code = getattr(error, "exit_code", 2)
    sys.exit(code)


def _run() -> Any:
    """Give the exit code of the command that is asked for."""
    try:
        os.getcwd()  # noqa: PTH109 - packages end the process where there is none
    except FileNotFoundError:
        warn("sayso: the folder in which this was started has been removed; change to another one (cd)")
        return 2
    try:
        return app(standalone_mode=False) or 0
    except SystemExit as end:
        return end.code


def _explain(error: Exception) -> str:
    """Say in one line what a person has to know of an error; empty where it is a fault of the program."""
    if isinstance(error, SaysoError):
        return f"sayso: {error}"
    if isinstance(error, typer.Abort):
        return "sayso: stopped, as standard input has ended and something was to be typed"
    if hasattr(error, "format_message"):  # typer's own, whose class lies elsewhere from version to version
        return _explain_usage(error)
    if isinstance(error, ModuleNotFoundError) and (error.name or "").partition(".")[0] in TRAINING_PACKAGES:
        return f"sayso: this needs {error.name}, which is not installed: {install_command('train')}"
    if isinstance(error, OSError) and error.errno in _REASONS:
        reason = os.strerror(error.errno)
        is_told = error.filename and error.errno != errno.ENAMETOOLONG
        why = why_unread(error, f"{reason}; earlier runs are untouched" if is_told else reason)
        return f"sayso: {error.filename or 'output'}: {why}"
    if isinstance(error, MemoryError | RuntimeError) and (found := _MEMORY.search(str(error) or "out of memory")):
        return f"sayso: too little memory ({found[0]}); ask for less, such as a smaller network or shorter clips"
    if isinstance(error, OverflowError) or "Overflow when unpacking" in str(error):
        return "sayso: a number that was given is larger than any processor counts; use a smaller one"
    return ""


def _explain_usage(error: Any) -> str:
    """Say in one line what is wrong with the words that were typed; of a command without any it is its help."""
    text = error.format_message()
    if text.startswith("Usage: "):
        return text
    about = _OF_A_VALUE.match(text)
    if about is None:
        text = " ".join(text.split())
        command = error.ctx.command_path if getattr(error, "ctx", None) else "sayso"
        return f"sayso: {text}{'' if text.endswith(('.', '?')) else '.'} See {command} -h"
    option, problem = about["option"], text[about.end() :]
    for said, must in _MUST.items():
        if found := re.match(said, problem):
            problem = f"{_typed(option)}must be {must}{problem[found.end() :]}"
            break
    return f"sayso: {option + ': ' if option else ''}{problem}"


def _typed(option: str | None) -> str:
    """Say what was typed as the value of an option; empty where it cannot be found."""
    words = sys.argv[1:]
    for word, after in zip(words, [*words[1:], ""], strict=True):
        if option and word.partition("=")[0] == option:
            return f"is '{word.partition('=')[2] if '=' in word else after}', "
    return ""


_INTERRUPTED = 130
# How torch and NumPy say that, at the end of lines for their own builders.
_MEMORY = re.compile(
    r"you tried to allocate \d+ bytes|Unable to allocate [^,]+|out of memory|Storage size calculation overflowed"
)
_REASONS = (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS, errno.ENAMETOOLONG)
# How pydantic says what a value must be, and how settings do.
_MUST = {
    r"Input should be a valid integer.*": "a whole number",
    r"Input should be a valid number.*": "a number",
    r"Input should be less than or equal to ": "at most ",
    r"Input should be greater than or equal to ": "at least ",
    r"Input should be less than ": "below ",
    r"Input should be greater than ": "above ",
    r"Input should be ": "",
}
# Typer says so of a value, and where it lets pydantic read values, that adds its own.
_OF_A_VALUE = re.compile(r"Invalid value(?: for '(?P<option>[^']+)')?: (?:Value error, )?")
