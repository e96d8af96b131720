"""A cluster on this machine for trying and testing the collection. Nothing of the collection knows about it."""
