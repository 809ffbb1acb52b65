"""SSL Wireless iSMS Plus v3 (Bangladesh).

credentials: `api_token`; sender: `sid` (the approved sender), `batch_size` (at most 100). The
address that Parlour calls from must be on the portal's list. There are no delivery reports:
accepted is the last that is heard.
"""
