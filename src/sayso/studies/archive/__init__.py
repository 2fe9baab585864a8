"""Answers on archives: any number of sound files in, one table out, at constant memory and without torch."""
