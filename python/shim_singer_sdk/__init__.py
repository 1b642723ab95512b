"""Runs an unchanged Singer tap as a Flow capture. Importing this package does not import singer-sdk."""
