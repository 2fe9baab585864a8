"""Trials: one recipe, one split, one seed each, trained many together and never twice, on one machine or several."""
