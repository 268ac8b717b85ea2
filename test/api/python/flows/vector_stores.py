"""Vector stores: files are uploaded, waited for, listed and searched."""

from io import BytesIO

from openai import OpenAI

from .scenario import POLL_MS, SETTINGS, client, expect

# The SDK's types want another `object` of a batch than the service gave, so being strict would not do here. They also
# want every store to have a name.
lenient = OpenAI(**{**SETTINGS, "_strict_response_validation": False})


def note(name: str, text: str) -> tuple[str, BytesIO]:
    return name, BytesIO(text.encode())


def test_upload() -> None:
    """a file is uploaded into a vector store, waited for, read and found"""
    stores = client.vector_stores
    store = stores.create(name="birds", metadata={"team": "blue"})
    expect((store.status, store.file_counts.total), ("completed", 0))
    text = "The heron stands in shallow water."
    file = stores.files.upload_and_poll(
        vector_store_id=store.id, file=note("heron.txt", text), poll_interval_ms=POLL_MS
    )
    expect((file.status, file.last_error), ("completed", None))
    expect([part.text for part in stores.files.content(file.id, vector_store_id=store.id)], [text])
    found = list(stores.search(store.id, query="heron", max_num_results=1))
    expect([(hit.filename, hit.content[0].text) for hit in found], [("heron.txt", text)])
    expect(stores.files.delete(file.id, vector_store_id=store.id).deleted, True)
    expect(stores.retrieve(store.id).file_counts.total, 0)
    expect(stores.delete(store.id).deleted, True)


def test_batches() -> None:
    """files are added to a vector store in batches and waited for, and every page of their list is read"""
    batches = lenient.vector_stores.file_batches
    store = client.vector_stores.create(name="notes")
    files = [note(f"{number}.txt", f"Note number {number}.") for number in range(3)]
    batch = batches.upload_and_poll(store.id, files=files, poll_interval_ms=POLL_MS)
    expect((batch.status, batch.file_counts.completed), ("completed", 3))
    ids = [file.id for file in client.vector_stores.files.list(store.id, limit=1)]
    expect(len(set(ids)), 3)
    again = batches.create_and_poll(store.id, file_ids=ids, poll_interval_ms=POLL_MS)
    expect((again.status, again.file_counts.total), ("completed", 3))
    expect(len(list(batches.list_files(again.id, vector_store_id=store.id, limit=2))), 3)
