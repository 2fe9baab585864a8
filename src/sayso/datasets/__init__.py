"""Sources of clips, one file each: a frozen dataclass registered with `sayso.clips.DATASETS` that lists clips."""
