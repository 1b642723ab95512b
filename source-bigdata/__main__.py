from source_bigdata import SourceBigdata

from python import shim_airbyte_cdk

shim_airbyte_cdk.CaptureShim(delegate=SourceBigdata(), oauth2=None).main()
