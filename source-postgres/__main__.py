from tap_postgres.tap import TapPostgres

from python import shim_singer_sdk

shim_singer_sdk.CaptureShim(
    TapPostgres, documentation_url="https://github.com/headwater/headwater/tree/main/source-postgres"
).main()
