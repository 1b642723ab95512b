from tap_rest_api_msdk.tap import TapRestApiMsdk

from python import shim_singer_sdk

shim_singer_sdk.CaptureShim(
    TapRestApiMsdk, documentation_url="https://github.com/headwater/headwater/tree/main/source-rest-api"
).main()
