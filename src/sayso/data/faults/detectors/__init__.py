"""One file a fault that recordings can have, told by their sound alone."""
