"""What the shims have in common: schemas made fit for Flow, and values told as merge patches. Imports no shim."""
