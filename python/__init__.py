"""Connectors that speak Estuary's Flow protocol, and the tools around them.

The distribution is called `headwater`; the import package is `python`, because the documents that connector authors
follow say `from python import shim_airbyte_cdk`. Importing this package does nothing.
"""
