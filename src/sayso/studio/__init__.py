"""A local page, and its twin in the terminal: words, recordings of them, a training, its score."""
