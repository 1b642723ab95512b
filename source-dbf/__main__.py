from tap_dbf.tap import TapDBF

from python import shim_singer_sdk

shim_singer_sdk.CaptureShim(TapDBF).main()
