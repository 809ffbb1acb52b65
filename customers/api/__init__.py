"""The customers' part of the HTTP contract."""
