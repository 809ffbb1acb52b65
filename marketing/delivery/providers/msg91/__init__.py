"""MSG91 flow v5 (India).

credentials: `authkey`; sender: `header`, `entity_id`, `batch_size` (default 100). Nothing is
signed: the address of the webhook is the secret.
"""
