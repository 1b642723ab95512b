"""Manifests as connector folders: a folder of ours, or one of Airbyte's two layouts.

`zipping.zipped(order)` gives a zip as bytes, for an endpoint; `writing.written(order, folder)` puts a folder in place.
"""
