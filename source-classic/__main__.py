from python import shim_singer_sdk

shim_singer_sdk.ExecutableShim(
    ["tap-classic"], documentation_url="https://github.com/headwater/headwater/tree/main/source-classic"
).main()
