from derive_contacts import DeriveContacts

DeriveContacts().main()
