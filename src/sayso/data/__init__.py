"""From sound files to packed clips, which of them train and test, and what those share."""
