"""Webhooks of vendors: verified and stored by the view, applied set-based by the consumer."""
