"""What servers of this machine have in common: where they listen, whom they answer, and what they read of a request."""
