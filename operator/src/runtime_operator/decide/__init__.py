"""Decisions: what was seen and what time it is go in, what should happen comes out. Pure."""
