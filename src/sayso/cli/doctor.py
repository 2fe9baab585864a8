"""`sayso doctor`."""

import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

from sayso.cli.console import say, warn

__all__ = ["EXTRAS", "doctor"]

EXTRAS = {
    "train": "torch",
    "voices": "espeakng_loader",
    "mic": "sounddevice",
    "media": "av",
    "serve": "wyoming",
    "track": "tensorboard",
    "ray": "ray",
    "parquet": "pyarrow",
    "c": "emx_onnx_cgen",
}
"""What can be added to the base install, and a package that comes with it."""
_PACKAGES = ("sayso", "numpy", "soundfile", "soxr", "onnxruntime", "torch", "lightning")


def doctor() -> None:
    """Say what is here: versions, extras, processor, folders."""
    from sayso.data.datasets import DATASETS
    from sayso.system.files import cache_folder, data_folder
    from sayso.system.openmp import waiting

    say(f"python       {platform.python_version()} on {platform.system()} {platform.machine()}, {os.cpu_count()} cores")
    for package in _PACKAGES:
        try:
            say(f"{package:<12} {version(package)}")
        except PackageNotFoundError:
            say(f"{package:<12} not installed")
    for extra, module in EXTRAS.items():
        say(f"extra {extra:<7} {_extra(extra, module)}")
    if find_spec("torch"):
        sys.stdout.flush()  # what is known already is read while torch is loaded
        warn("loading torch, to see what it can do here: up to half a minute at the first time")
    say(f"matrix units {_matrix_units()}")
    say(f"threads      {waiting()}")
    say(f"C compiler   {_compiler()}")
    say(f"pretrained   {_pretrained()}")
    say(f"cache        {cache_folder()} (SAYSO_CACHE)")
    say(f"recordings   {data_folder() or 'none set'} (SAYSO_DATA)")
    for name in ("fsdd", "speech_commands"):
        where = DATASETS.get(name)().location()
        say(f"  {name:<16} {where or 'not here yet: sayso data get ' + name}")


def _extra(extra: str, module: str) -> str:
    from sayso.errors import install_command
    from sayso.runtime.microphone import find_lack

    if not find_spec(module):
        return f"not installed: {install_command(extra)}"
    lack = find_lack() if extra == "mic" else ""
    return f"here, but {lack}" if lack else "here"


def _matrix_units() -> str:
    if not find_spec("torch"):
        return "unknown without torch"
    import torch

    if torch.cuda.is_available():
        return f"GPU {torch.cuda.get_device_name()}; training uses bfloat16"
    amx = torch.cpu._is_amx_tile_supported()  # pyright: ignore[reportPrivateUsage]
    return (
        "AMX; training uses bfloat16 where a network gains by it" if amx else "none for bfloat16; training uses float32"
    )


def _compiler() -> str:
    from sayso.system.compiled import find_compiler

    compiler = " ".join(find_compiler() or ())
    without = "bc_resnet trains less than half as fast"
    if not compiler or not find_spec("torch"):
        return compiler or f"none: {without}"
    from sayso.dsp.normalised.compiled import is_compiled

    return compiler if is_compiled() else f"{compiler}, which cannot compile for it: {without}"


def _pretrained() -> str:
    if not find_spec("torch"):
        return "not usable without torch"
    from sayso.errors import MissingExtraError, ModelError
    from sayso.features.speech_embedding import SpeechEmbeddingConfig, find_weights

    try:
        find_weights()
    except (MissingExtraError, ModelError) as error:
        return str(error)
    return SpeechEmbeddingConfig.credit
