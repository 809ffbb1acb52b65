class ServerError(Exception):
    """A server could not be run; the message is for the person at the terminal."""
