"""Declarative manifests: what is wrong with one before an airbyte-cdk sees it, and how foreign ones are taken in."""
