"""Plays the Flow runtime on one machine: loads `*.flow.yaml`, drives connectors, commits documents and state together.

See README.md beside this file.
"""
