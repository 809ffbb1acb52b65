"""SendGrid v3.

credentials: `api_key`, `webhook_public_key` (base64 DER, from the account's settings);
sender: `from_email`, `from_name`.
"""
