from materialize_sqlite import MaterializeSqlite

MaterializeSqlite().main()
