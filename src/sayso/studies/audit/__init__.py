"""Recordings looked through for faults: one file a detector. Nothing here changes a recording."""
