"""Pictures: the only room that knows matplotlib. Figures are made here, saved by whoever asks."""
