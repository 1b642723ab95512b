"""Runs an unchanged Singer tap as a Flow capture: in this process where it is made with the SDK, else as its child.

    from python import shim_singer_sdk
    from tap_dbf.tap import TapDBF

    shim_singer_sdk.CaptureShim(TapDBF).main()

Importing this package does not import singer-sdk.
"""

from python.shim_singer_sdk.executable import ExecutableShim
from python.shim_singer_sdk.shim import CaptureShim

__all__ = ["CaptureShim", "ExecutableShim"]
