"""Sources of clips, one file each: a frozen dataclass registered with `sayso.corpus.DATASETS` that lists clips."""
