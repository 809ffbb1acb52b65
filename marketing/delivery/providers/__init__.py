"""One folder a vendor: what is asked of it, what its answers and webhooks mean."""
