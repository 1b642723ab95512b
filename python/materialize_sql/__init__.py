"""Materializations into SQL databases: what all of them share, and what a dialect adds.

A connector gives a `Dialect` (names, types and statements, as data and text), an `Endpoint` (the connection) and a
`SqlConnector` (its config). The base does the rest: constraints, the plan of apply, loads, stores, and the fence that
makes it exactly-once.
"""
