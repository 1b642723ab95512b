from tap_postgres.tap import TapPostgres

from python import shim_singer_sdk

shim_singer_sdk.CaptureShim(TapPostgres).main()
