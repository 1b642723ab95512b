from tap_openproject import TapOpenProject

from python import shim_singer_sdk

shim_singer_sdk.CaptureShim(
    TapOpenProject, documentation_url="https://github.com/headwater/headwater/tree/main/source-openproject"
).main()
