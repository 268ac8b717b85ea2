"""Runs that search files and cite them. The store comes from outside: its id is in VECTOR_STORE_ID."""

import os

from openai import AssistantEventHandler

from .scenario import MODEL, POLL_MS, client, expect, messages_of, script

SEARCH = {"tool_calls": [{"name": "file_search", "arguments": {"queries": ["capital of France"]}}]}
MARKER = "【0:0†capitals.txt】"
ANSWER = {"text": f"🙂 It is Paris{MARKER}, as ever.", "chunk_chars": 2, "chunk_ms": 5}
INCLUDE = ["step_details.tool_calls[*].file_search.results[*].content"]


def begin() -> dict[str, str]:
    """An assistant that can search the store, and a thread with a question."""
    assistant = client.beta.assistants.create(
        model=MODEL,
        tools=[{"type": "file_search"}],
        tool_resources={"file_search": {"vector_store_ids": [os.environ["VECTOR_STORE_ID"]]}},
    )
    thread = client.beta.threads.create(messages=[{"role": "user", "content": script(SEARCH, ANSWER)}])
    return {"assistant_id": assistant.id, "thread_id": thread.id}


def cited_names(text: object) -> list[str]:
    """As the guides print citations: the text behind the indexes, and the file of each."""
    for annotation in text.annotations:
        expect(text.value[annotation.start_index : annotation.end_index], annotation.text)
    return [annotation.text for annotation in text.annotations]


def test_polled_citations() -> None:
    """a polled run cites what it found, and slicing the text by the indexes gives the markers"""
    run = client.beta.threads.runs.create_and_poll(**begin(), poll_interval_ms=POLL_MS)
    expect(run.status, "completed")
    (message,) = messages_of(run)
    text = message.content[0].text
    expect(cited_names(text), [MARKER])
    steps = client.beta.threads.runs.steps.list(run.id, thread_id=run.thread_id, order="asc", include=INCLUDE)
    (call,) = steps.data[0].step_details.tool_calls
    best = call.file_search.results[0]
    expect((best.file_name, best.content[0].text), ("capitals.txt", "The capital of France is Paris."))
    expect(text.annotations[0].file_citation.file_id, best.file_id)


def test_streamed_citations() -> None:
    """an event handler sees the search, then the text with each marker in one piece, and prints the citations"""
    printed: list[str] = []
    tools: list[str] = []

    class Handler(AssistantEventHandler):
        def on_tool_call_created(self, tool_call: object) -> None:
            tools.append(tool_call.type)

        def on_text_delta(self, delta: object, snapshot: object) -> None:
            if delta.annotations:
                expect([annotation.text for annotation in delta.annotations], [delta.value])

        def on_message_done(self, message: object) -> None:
            text = message.content[0].text
            printed.extend(cited_names(text))
            printed.append(text.value)

    with client.beta.threads.runs.stream(**begin(), event_handler=Handler()) as stream:
        stream.until_done()
        expect(stream.get_final_run().status, "completed")
        (message,) = stream.get_final_messages()
    expect(tools, ["file_search"])
    expect(printed, [MARKER, ANSWER["text"]])
    expect(cited_names(message.content[0].text), [MARKER])
