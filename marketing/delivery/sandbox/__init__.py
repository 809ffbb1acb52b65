"""Sandbox provider: a server that speaks the vendors' own wire formats.

Run it with ``python -m marketing.delivery.sandbox``. It accepts messages as the vendors of
``vendors`` do, keeps a durable ledger of what it accepted, posts signed callbacks, and shows every
message on a phone at ``/``. It knows nothing of Django. What happens to a message is decided by the
last four digits of the number, or of the local part of the e-mail address: ``docs/sandbox.md`` has
the table, the control endpoints and the faults.
"""
