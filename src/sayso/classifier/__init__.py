"""The model: features, normaliser and network in one; on disk, at work, and exported."""
