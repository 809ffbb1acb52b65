"""Gupshup WhatsApp, self-serve API.

credentials: `api_key`, `callback_secret` (optional: sent by Gupshup in `X-Callback-Secret`);
sender: `source` (our number), `app_name`. Callbacks are not signed: the address is the secret.
A template is known by Gupshup's own id, which implies its language.
"""
