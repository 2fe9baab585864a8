"""Which clips train, validate and test: settings in, rows of a corpus out. How they are drawn has its one home here."""

from sayso.data.splits.draw import divide_for_speaker, draw_split
from sayso.data.splits.settings import SplitSettings
from sayso.data.splits.split import Split

__all__ = ["Split", "SplitSettings", "divide_for_speaker", "draw_split"]
