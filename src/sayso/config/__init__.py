"""Settings: plain values to strict frozen dataclasses, and parts found by name."""
