from materialize_postgres import MaterializePostgres

MaterializePostgres().main()
