"""Jobs done by processes of this machine or on a Ray cluster. What the work is, nothing here knows."""
