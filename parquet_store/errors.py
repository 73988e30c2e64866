"""Errors that are meant for the person at the keyboard."""

__all__ = ["EngineError", "StoreError"]


class EngineError(Exception):
    """Something the user can mend: one sentence that says what is wrong, where, and what to do.

    The command line prints the message and ends with exit code 2, without a traceback.
    """


class StoreError(EngineError):
    """The store cannot be read or written as asked."""
