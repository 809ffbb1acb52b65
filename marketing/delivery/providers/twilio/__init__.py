"""Twilio's Messages resource, for SMS and for WhatsApp.

credentials: `account_sid`, `auth_token`, `webhook_key_secret` (optional: of the shared key that
callbacks are signed with instead of the auth token); sender: `from_number` or
`messaging_service_sid`. A WhatsApp template is known by its ContentSid.
"""
