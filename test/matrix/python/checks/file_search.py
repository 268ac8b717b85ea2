"""Check 6: vector stores, and runs that search them and cite what they found."""

from functools import cache

from openai import AsyncOpenAI

from capabilities import BARE_CITATIONS, STORE_SEARCH, STREAMS, AssistantEventHandler, needs
from scenario import MODEL, POLL_MS, SETTINGS, client, expect, lenient, messages_of, poll, script
from searching import ANSWER, HERON, MARKER, OWL, OWL_TEXT, QUERY, SEARCH, TEXT, WREN, check_citation

TOOLS = [{"type": "file_search"}]
CONTENT = ["step_details.tool_calls[*].file_search.results[*].content"]

assistants, threads = client.beta.assistants, client.beta.threads
reader = client if BARE_CITATIONS.is_here else lenient
runs = reader.beta.threads.runs


def stores_of(openai: object) -> object:
    """The vector stores, which were in another place at first."""
    return getattr(openai, "vector_stores", None) or openai.beta.vector_stores


@cache
def filled_store() -> tuple[str, str]:
    """The ids of a store and of the owl in it."""
    stores = stores_of(client)
    # The types of the SDK want another `object` of a batch than the service gave, so being strict would not do.
    batches = stores_of(lenient).file_batches
    store = stores.create(name="Birds")
    owl = stores.files.upload_and_poll(vector_store_id=store.id, file=OWL, poll_interval_ms=POLL_MS)
    expect((owl.status, owl.last_error), ("completed", None))
    batch = batches.upload_and_poll(store.id, files=[HERON, WREN], poll_interval_ms=POLL_MS)
    expect((batch.status, batch.file_counts.completed), ("completed", 2))
    return store.id, owl.id


def begin(store: str) -> dict[str, str]:
    """Makes an assistant that can search the store, and a thread with a question."""
    assistant = assistants.create(
        model=MODEL, tools=TOOLS, tool_resources={"file_search": {"vector_store_ids": [store]}}
    )
    thread = threads.create(messages=[{"role": "user", "content": script(SEARCH, ANSWER)}])
    return {"assistant_id": assistant.id, "thread_id": thread.id}


def found_by(run: object, **query: object) -> list:
    """What the search of a run has found."""
    steps = runs.steps.list(run.id, thread_id=run.thread_id, order="asc", **query)
    [call] = steps.data[0].step_details.tool_calls
    expect(call.type, "file_search")
    # The first types of a call know nothing of its results.
    return [result if isinstance(result, dict) else result.to_dict() for result in results_of(call.file_search)]


def results_of(search: object) -> list:
    return search["results"] if isinstance(search, dict) else search.results


def test_files_of_a_store() -> None:
    """files are uploaded into a store, alone and together, waited for, listed, and taken out"""
    stores, (store, owl) = stores_of(client), filled_store()
    listed = list(stores.files.list(store, limit=1))
    names = sorted(client.files.retrieve(file.id).filename for file in listed)
    expect(names, sorted([HERON[0], OWL[0], WREN[0]]))
    other = stores.create(name="Others", file_ids=[owl])
    file = stores.files.poll(owl, vector_store_id=other.id, poll_interval_ms=POLL_MS)
    expect((file.status, file.vector_store_id), ("completed", other.id))
    gone = stores.files.delete(owl, vector_store_id=other.id)
    expect((gone.id, gone.object, gone.deleted), (owl, "vector_store.file.deleted", True))
    expect(stores.retrieve(other.id).file_counts.total, 0)
    expect(stores.delete(other.id).deleted, True)


async def test_async() -> None:
    """the async client uploads and waits, too"""
    async with AsyncOpenAI(**SETTINGS) as openai:
        there = stores_of(openai)
        store = await there.create(name="Birds", expires_after={"anchor": "last_active_at", "days": 3})
        file = await there.files.upload_and_poll(vector_store_id=store.id, file=WREN, poll_interval_ms=POLL_MS)
        expect((file.status, (await there.retrieve(store.id)).file_counts.completed), ("completed", 1))


@needs(STORE_SEARCH)
def test_store_search() -> None:
    """a store is searched, and attributes narrow that down"""
    stores, (store, owl) = stores_of(client), filled_store()
    best = next(iter(stores.search(store, query=QUERY, max_num_results=2)))
    expect((best.file_id, best.filename, [part.text for part in best.content]), (owl, OWL[0], [OWL_TEXT]))
    assert 0 < best.score <= 1, best.score
    expect(list(stores.search(store, query=QUERY, filters={"type": "eq", "key": "awake", "value": True})), [])
    expect([part.text for part in stores.files.content(owl, vector_store_id=store)], [OWL_TEXT])


def test_polled_citation() -> None:
    """a polled run searches the store of its assistant, and its answer cites the file"""
    store, owl = filled_store()
    run = poll(runs.create(**begin(store)))
    expect((run.status, run.last_error), ("completed", None))
    [message] = messages_of(run, reader)
    check_citation(message, owl)
    best, *_ = found_by(run)
    expect((best["file_id"], best["file_name"], "content" in best), (owl, OWL[0], False))


@needs(STORE_SEARCH)
def test_included_content() -> None:
    """the content of what a run has found is shown to those who ask for it, in lists and in streams"""
    store, owl = filled_store()
    events = list(runs.create(**begin(store), stream=True, include=CONTENT))
    run = events[-1].data
    expect((events[-1].event, run.status), ("thread.run.completed", "completed"))
    best, *_ = found_by(run, include=CONTENT)
    expect((best["file_id"], best["content"]), (owl, [{"type": "text", "text": OWL_TEXT}]))
    [step, *_] = [event.data for event in events if event.event == "thread.run.step.completed"]
    expect(step.step_details.tool_calls[0].file_search.results[0].content[0].text, OWL_TEXT)


@needs(STREAMS)
def test_streamed_citation() -> None:
    """an event handler sees the search, the marker in one piece, and an answer whose text can be sliced"""
    store, owl = filled_store()
    tools, texts, cited, printed = [], [], [], []

    class Handler(AssistantEventHandler):
        def on_tool_call_created(self, tool_call: object) -> None:
            tools.append(tool_call.type)

        def on_text_delta(self, delta: object, snapshot: object) -> None:
            texts.append(delta.value or "")
            if delta.annotations:
                cited.append((delta.value, [annotation.text for annotation in delta.annotations]))

        def on_message_done(self, message: object) -> None:
            printed.append(message)

    with runs.stream(**begin(store), event_handler=Handler()) as stream:
        stream.until_done()
    expect((tools, "".join(texts), cited), (["file_search"], TEXT, [(MARKER, [MARKER])]))
    [message] = printed
    check_citation(message, owl)


def test_attachment() -> None:
    """a file that is attached to a message goes into a store of the thread, and is cited"""
    file = client.files.create(file=OWL, purpose="assistants")
    assistant = assistants.create(model=MODEL, tools=TOOLS)
    attachments = [{"file_id": file.id, "tools": TOOLS}]
    thread = threads.create()
    threads.messages.create(
        thread.id, role="user", content=script(SEARCH, ANSWER), attachments=attachments
    )
    [store] = threads.retrieve(thread.id).tool_resources.file_search.vector_store_ids
    run = poll(runs.create(thread.id, assistant_id=assistant.id))
    expect((run.status, run.last_error), ("completed", None))
    [message] = messages_of(run, reader)
    check_citation(message, file.id)
    # Such a store has no name, which the types of the SDK do not expect.
    expect(stores_of(lenient).retrieve(store).file_counts.completed, 1)
