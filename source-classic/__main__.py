from python import shim_singer_sdk

shim_singer_sdk.ExecutableShim(["tap-classic"]).main()
