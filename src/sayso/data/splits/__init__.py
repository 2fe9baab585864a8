"""Which clips train, validate and test: settings in, rows of a corpus out. How they are drawn has its one home here."""

from sayso.data.splits.draw import draw_split
from sayso.data.splits.settings import SplitSettings
from sayso.data.splits.split import Split

__all__ = ["Split", "SplitSettings", "draw_split"]
