"""The registry's life on Dagster: what commands do, done when the bucket changes, and shown."""
