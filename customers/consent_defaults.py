"""Which channels the business assumes consent on for people its staff enter.

The setting belongs to a layer above, which registers what reads it.
"""

from collections.abc import Callable, Mapping

Provider = Callable[[], Mapping[str, bool]]

_providers: list[Provider] = []


def register(provider: Provider) -> Provider:
    """Let `provider()` (channel → assumed) answer for the open tenant scope."""
    _providers[:] = [provider]
    return provider


def assumed_channels() -> frozenset[str]:
    """The channels with assumed consent; none where no provider is registered."""
    return frozenset(
        channel for provider in _providers for channel, assumed in provider().items() if assumed
    )
