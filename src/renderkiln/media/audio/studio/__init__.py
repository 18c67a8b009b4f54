"""A small recording studio: everything that the demo track is composed, played and mastered with."""
