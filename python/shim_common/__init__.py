"""What the shims have in common: schemas fit for Flow, records made right, tokens kept out of logs. Imports no shim."""
