"""Requests that must be refused."""

from collections.abc import Iterator
from contextlib import contextmanager

from openai import APIStatusError

from scenario import expect

NO_ID = "0" * 24


@contextmanager
def refused(
    kind: type[APIStatusError], message: str, *, param: str | None = None, code: str | None = None
) -> Iterator[None]:
    """Fails unless the block is refused with exactly this status and error."""
    try:
        yield
    except kind as error:
        expect(error.status_code, kind.status_code)
        expect(error.body, {"message": message, "type": "invalid_request_error", "param": param, "code": code})
        expect((error.type, error.param, error.code), ("invalid_request_error", param, code))
        assert message in str(error), str(error)
    else:
        raise AssertionError(f"it was not refused: {message}")
