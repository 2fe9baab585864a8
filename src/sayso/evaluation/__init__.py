"""A model and clips in, scores out."""
