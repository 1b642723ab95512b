from materialize_sqlite import MaterializeSqlite  # noqa: INP001 -- `python -m` runs a folder that is no package

MaterializeSqlite().main()
