"""Files and uploads: sent, listed page by page, waited for, read and deleted."""

import hashlib
import io

from openai import BadRequestError, NotFoundError

from .scenario import client


def test_files() -> None:
    """files are uploaded, listed, waited for and deleted, and their names keep every letter"""
    made = client.files.create(file=("Zoë 名前.txt", io.BytesIO(b"Some words.")), purpose="assistants")
    assert (made.filename, made.bytes, made.status) == ("Zoë 名前.txt", 11, "processed"), made
    assert client.files.wait_for_processing(made.id).status == "processed"
    assert client.files.retrieve(made.id) == made
    more = [client.files.create(file=(f"{index}.jsonl", b"{}"), purpose="batch").id for index in range(3)]
    listed = [file.id for file in client.files.list(purpose="batch", limit=2, order="asc")]
    assert [id for id in listed if id in more] == more, listed
    assert client.files.content(more[0]).read() == b"{}"
    gone = client.files.delete(made.id)
    assert (gone.id, gone.object, gone.deleted) == (made.id, "file", True)
    try:
        client.files.retrieve(made.id)
        raise AssertionError("it is still there")
    except NotFoundError as error:
        assert error.param == "id"


def test_kept_in() -> None:
    """files for assistants are not given back"""
    made = client.files.create(file=("a.txt", b"words"), purpose="assistants")
    try:
        client.files.content(made.id)
        raise AssertionError("it was given back")
    except BadRequestError as error:
        assert "Not allowed to download files of purpose: assistants" in error.message


def test_upload_in_chunks() -> None:
    """the helper of the SDK sends a file in parts and completes it"""
    content = bytes(range(256)) * 40_000
    upload = client.uploads.upload_file_chunked(
        file=content,
        filename="big.bin",
        bytes=len(content),
        mime_type="application/octet-stream",
        purpose="batch",
        part_size=3_000_000,
        md5=hashlib.md5(content).hexdigest(),
    )
    assert upload.status == "completed" and upload.file is not None
    assert client.files.content(upload.file.id).read() == content
