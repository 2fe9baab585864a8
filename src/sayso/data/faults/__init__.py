"""Faults that recordings can have, one file each, and the look for the plainest of them before every training."""
