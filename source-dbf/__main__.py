from tap_dbf.tap import TapDBF

from python import shim_singer_sdk

shim_singer_sdk.CaptureShim(
    TapDBF, documentation_url="https://github.com/headwater/headwater/tree/main/source-dbf"
).main()
