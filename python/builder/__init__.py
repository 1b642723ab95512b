"""The Connector Builder: test a declarative manifest in milliseconds, safely, with Airbyte's own API."""
