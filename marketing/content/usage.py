"""What rests on a template: upper apps say so, because content must not know them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from marketing.content.models import MessageTemplate


@dataclass(frozen=True)
class Use:
    """A thing that would break if the template went: its kind ("Campaign"), name and page."""

    kind: str
    name: str
    url: str


Users = Callable[[MessageTemplate], Iterable[Use]]

_registered: list[Users] = []


def register(users: Users) -> None:
    """Add a function that names what uses a template; called while apps are loaded."""
    _registered.append(users)


def users_of(template: MessageTemplate) -> list[Use]:
    return [use for users in _registered for use in users(template)]
