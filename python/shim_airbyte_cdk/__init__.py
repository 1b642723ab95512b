"""Runs an unchanged Airbyte source as a Flow capture.

    from python import shim_airbyte_cdk
    from source_faker import SourceFaker

    shim_airbyte_cdk.CaptureShim(delegate=SourceFaker(), oauth2=None).main()

Importing this package does not import airbyte-cdk.
"""

from python.protocol.flow import OAuth2
from python.shim_airbyte_cdk.shim import CaptureShim

__all__ = ["CaptureShim", "OAuth2"]
