from source_hardcoded_records.source import SourceHardcodedRecords

from python import shim_airbyte_cdk

shim_airbyte_cdk.CaptureShim(delegate=SourceHardcodedRecords(), oauth2=None).main()
