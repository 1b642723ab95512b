from tap_rest_api_msdk.tap import TapRestApiMsdk

from python import shim_singer_sdk

shim_singer_sdk.CaptureShim(TapRestApiMsdk).main()
