"""How sending goes just now, for the people and the machines that watch over it."""
