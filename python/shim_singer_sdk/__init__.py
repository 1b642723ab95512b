"""Runs an unchanged Singer tap as a Flow capture. Importing this package does not import singer-sdk."""

from python.shim_singer_sdk.executable import ExecutableShim

__all__ = ["ExecutableShim"]
