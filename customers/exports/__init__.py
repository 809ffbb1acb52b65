"""Customers as files: CSV, Excel and JSON, streamed row by row."""
