"""Database connections that run a few statements over and over."""

from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.connection import ConnectionProxy


def keep_statements(connection: BaseDatabaseWrapper | ConnectionProxy) -> None:
    """Have the connection, not yet open, keep its statements parsed and planned on the server.

    For workers whose statements are few; elsewhere plans made for the values at hand are worth
    more than the planning they cost.
    """
    options = {
        **connection.settings_dict["OPTIONS"],
        "server_side_binding": True,
        "prepare_threshold": 5,
    }
    connection.settings_dict = {**connection.settings_dict, "OPTIONS": options}
