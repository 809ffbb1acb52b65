"""From a due batch to recorded outcomes: claim, mark, send, write, recover.

A worker holds a lease on each batch it sends. A message is marked `sending` in a committed
transaction before its request starts, and the start and the answer are noted in a local
journal, so that after a kill it is known what never started, what was answered, and what
must be called unknown.
"""
