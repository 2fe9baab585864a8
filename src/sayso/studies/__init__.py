"""Questions asked of many runs, or of the recordings themselves."""
