"""A model as source in C99, for small boards: `export` writes it, by `program`, from the graph that `graph` reads."""

from sayso.delivery.c.export import WORKING, CExport, export_c

__all__ = ["WORKING", "CExport", "export_c"]
