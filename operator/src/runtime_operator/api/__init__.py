"""What the custom resources say, as types: the Python side of ``crds/``."""
