"""The connector registry: metadata files, versions in a bucket, and what platforms read of them.

See README.md beside this file.
"""
