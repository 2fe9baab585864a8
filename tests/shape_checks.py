"""How annotations are checked while tests run: shapes through jaxtyping, types through beartype."""

from beartype import BeartypeConf, beartype

__all__ = ["check"]

# An int will do where a float is asked for, as type checkers hold it.
check = beartype(conf=BeartypeConf(is_pep484_tower=True))
