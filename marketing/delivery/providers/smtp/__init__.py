"""Any mail server that takes mail by SMTP submission.

credentials: `username`, `password`, both empty where the server asks for none; sender: `host`,
`port`, `security` ("starttls", "tls" or "none"), `from_email`, `from_name`, `reply_to`,
`unsubscribe_email`, `return_path` (who gets the bounces; the sender, where empty). The server
never calls back: a mail it took counts as sent, until it or a complaint comes to the bounce mailbox
(sender: `bounce_host`, `bounce_port`, `bounce_security`; credentials: `bounce_username`,
`bounce_password`).
"""
