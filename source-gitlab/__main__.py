from source_gitlab import SourceGitlab

from python import shim_airbyte_cdk

shim_airbyte_cdk.CaptureShim(delegate=SourceGitlab(), oauth2=None).main()
