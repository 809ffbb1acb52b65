"""Customers from files: upload, map the columns, dry run, import in chunks."""
