"""Sayso beside its peers: the same work in the same run, told as ratios, since seconds differ between machines."""
