"""A finished model, made ready for other places than Python; without torch."""
