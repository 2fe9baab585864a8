"""Recordings looked through for faults: one file a detector, and the whole in `whole`.

Detectors do not know one another; `catalogue` lists them. Nothing here changes a recording.
"""
