"""Models as services that other programs ask over a network. No torch."""
