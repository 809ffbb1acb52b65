"""Which messages share a call, for vendors that take many."""

from collections.abc import Callable, Iterable

from marketing.delivery.providers.base import Envelope

# A call that was refused twice is tried piece by piece: one message may have spoilt it.
TOGETHER_TRIES = 2


def cut(
    envelopes: Iterable[Envelope],
    size: int,
    *,
    kind: Callable[[Envelope], str] = lambda envelope: "",
) -> list[list[Envelope]]:
    """Calls of at most `size` messages of one `kind`, none with the same address twice.

    Messages keep their order within a kind.
    """
    calls: list[list[Envelope]] = []
    filling: dict[str, list[Envelope]] = {}
    taken: dict[str, set[str]] = {}
    for envelope in envelopes:
        if envelope.tries > TOGETHER_TRIES:
            calls.append([envelope])
            continue
        mine = kind(envelope)
        call = filling.get(mine)
        if call is None or len(call) >= size or envelope.address in taken[mine]:
            call = filling[mine] = []
            taken[mine] = set()
            calls.append(call)
        call.append(envelope)
        taken[mine].add(envelope.address)
    return calls
