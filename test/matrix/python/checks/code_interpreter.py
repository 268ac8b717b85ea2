"""Check 7: the code interpreter and its files."""

from capabilities import Cannot

from .file_search import expect_no_files


def test_server() -> None:
    """the server has no files that a code interpreter could write"""
    expect_no_files()
    raise Cannot("the server has no code interpreter yet")
