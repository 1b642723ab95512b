"""What `headwater init` writes: the folder of a new connector. See the README beside."""
