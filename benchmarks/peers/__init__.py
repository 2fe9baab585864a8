"""What runs in a process of its own, in Sayso's environment or the peers': neither can import what the other needs."""
