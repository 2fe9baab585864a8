"""Cells: one recipe, one split, one seed each, trained many together and never twice, on this machine or on several."""
