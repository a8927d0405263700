"""Measurements on a real cluster, side by side with the plain alternative: ``make bench``."""
