"""What is done with versions in a bucket: upload, promote, roll back, yank, compare. No Dagster is needed for it."""
