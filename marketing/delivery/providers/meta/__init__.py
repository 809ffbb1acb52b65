"""Meta WhatsApp Cloud API.

credentials: `access_token`, `app_secret`, `verify_token`; sender: `phone_number_id`,
`waba_id`, `api_version` (default v23.0), `marketing_endpoint` ("marketing_messages" where Meta
wants marketing templates there), `parameter_format` ("NAMED" where the templates were made with
named variables).
"""
