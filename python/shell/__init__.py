"""The only package that touches stdin, stdout, processes and signals. See README.md beside this file."""
