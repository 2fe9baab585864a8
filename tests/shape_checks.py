"""How annotations are checked while tests run, as a plugin of pytest: types through beartype, shapes through jaxtyping.

Jaxtyping costs a call some ten times what beartype does, so that it checks where shapes are written; and modules that
import names for their annotations alone, which beartype would look for.
"""

from pathlib import Path

from beartype import BeartypeConf, beartype
from beartype.claw import beartype_packages
from jaxtyping import install_import_hook

__all__ = ["check"]

_SOURCES = Path(__file__).parent.parent / "src"


def _module(path: Path) -> str:
    own = path.relative_to(_SOURCES).with_suffix("")
    return ".".join(own.parent.parts if own.name == "__init__" else own.parts)


def _by_shape() -> list[str]:
    """Modules that jaxtyping checks."""
    # The package itself would stand for all that lies in it.
    paths = sorted({*_SOURCES.rglob("*.py")} - {_SOURCES / "sayso" / "__init__.py"})
    texts = {path: path.read_text(encoding="utf-8") for path in paths}
    return [_module(path) for path, text in texts.items() if "from jaxtyping" in text or "TYPE_CHECKING" in text]


_modules = _by_shape()
# An int will do where a float is asked for, as type checkers hold it. Variables are left to pyright.
_conf = BeartypeConf(is_pep484_tower=True, claw_is_pep526=False, claw_skip_package_names=tuple(_modules))
check = beartype(conf=_conf)
install_import_hook(_modules, "shape_checks.check")
beartype_packages([f"sayso.{room.stem}" for room in (_SOURCES / "sayso").iterdir() if room.stem[0] != "_"], conf=_conf)
