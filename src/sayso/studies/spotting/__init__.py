"""A model that listens to long recordings: what it detects, and how that compares with what was said."""
