"""What the billing counter and the chain's other modules sent."""

from billing_bridge.models.raw import RawPerson, RawRow

__all__ = ["RawPerson", "RawRow"]
