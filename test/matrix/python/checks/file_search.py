"""Check 6: file search and its citations."""

from openai import NotFoundError

from capabilities import Cannot
from refusal import refused
from scenario import client


def test_server() -> None:
    """the server has no vector stores yet"""
    # So that a server which has them turns the check red, until it is written.
    with refused(NotFoundError, "Invalid URL (GET /v1/vector_stores)"):
        client.get("/vector_stores", cast_to=object)
    raise Cannot("the server has no vector stores yet")
