"""Check 7: the code interpreter and its files."""

from capabilities import Cannot


def test_server() -> None:
    """the server has no code interpreter yet"""
    raise Cannot("the server has no code interpreter yet")
