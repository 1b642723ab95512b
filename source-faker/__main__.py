from source_faker import SourceFaker

from python import shim_airbyte_cdk

shim_airbyte_cdk.CaptureShim(delegate=SourceFaker(), oauth2=None).main()
