"""A model as source in C99, for small boards: `export` writes it, by `program`, from the graph that `graph` reads."""

from sayso.delivery.c.export import CExport, export_c

__all__ = ["CExport", "export_c"]
