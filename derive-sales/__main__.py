from derive_sales import DeriveSales

DeriveSales().main()
