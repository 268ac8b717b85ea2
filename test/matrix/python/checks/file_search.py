"""Check 6: file search and its citations."""

from openai import NotFoundError

from capabilities import Cannot
from refusal import refused
from scenario import client


def expect_no_files() -> None:
    """So that a server which has files turns the check red, until it is written."""
    with refused(NotFoundError, "Invalid URL (GET /v1/files)"):
        client.files.list()


def test_server() -> None:
    """the server has no files yet"""
    expect_no_files()
    raise Cannot("the server has no files and no vector stores yet")
