"""Delivery's pages."""
