"""A connector's metadata.yaml: its models, what is wrong with one and where, and what else must hold before upload."""
