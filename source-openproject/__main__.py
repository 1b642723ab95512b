from tap_openproject import TapOpenProject

from python import shim_singer_sdk

shim_singer_sdk.CaptureShim(TapOpenProject).main()
