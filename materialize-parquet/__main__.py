from materialize_parquet import MaterializeParquet

MaterializeParquet().main()
