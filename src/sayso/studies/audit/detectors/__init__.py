"""One file a fault that recordings can have."""
