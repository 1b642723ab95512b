"""A Singer tap of the classic kind: an executable, written with singer-python, that reads a folder of JSON Lines."""

from tap_classic.tap import main

__all__ = ["main"]
