from source_file import SourceFile

from python import shim_airbyte_cdk

shim_airbyte_cdk.CaptureShim(delegate=SourceFile(), oauth2=None).main()
