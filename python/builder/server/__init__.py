"""The Connector Builder server over HTTP: Airbyte's API in each of its families, and our own."""
