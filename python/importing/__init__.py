"""Upstream provenance, snapshots, and the classifier of what changes between two versions of a connector."""
