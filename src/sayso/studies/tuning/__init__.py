"""Thresholds for streams: made streams replayed through the exported model, misses against false alarms an hour."""
