"""Sandbox provider: an HTTP server that speaks the vendors' own wire formats.

Run it with ``python -m marketing.delivery.sandbox``. It accepts messages as Meta's WhatsApp Cloud
API, MSG91 flow v5 and SendGrid v3 do, keeps a durable ledger of what it accepted, posts signed
callbacks, and shows every message on a phone at ``/``. It knows nothing of Django.

What happens to a message is decided by the last four digits of the number, or of the local part of
the e-mail address:

======  ==========================  =========================  ================================
ending  WhatsApp (Meta)             SMS (MSG91 report)         e-mail (SendGrid event)
======  ==========================  =========================  ================================
0026    failed 131026               2 FAILED                   bounce 5.1.1
0049    failed 131049               9 NDNC                     bounce, type blocked, 4.7.1
0050    failed 131050               17 BLOCKED NUMBER          dropped, Unsubscribed Address
0429    HTTP 429 once, then ok      same                       same
0500    HTTP 500, never accepted    same                       same
0999    accepted, answer withheld   same                       same
else    sent, delivered, read       DELIVERED                  processed, delivered, open
======  ==========================  =========================  ================================

0429, 0500 and 0999 concern the whole request, so a bulk request takes them from its first recipient
only. ``docs/sandbox.md`` describes the control endpoints.
"""
