from materialize_duckdb import MaterializeDuckdb

MaterializeDuckdb().main()
