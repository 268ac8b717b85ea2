"""Check 8 for SDKs of version 1: the retrieval tool, the files of an assistant, and the files of a message."""

from openai import NotFoundError

from scenario import MODEL, client, create_assistant, expect, lenient, poll, runs, script

RETRIEVAL = {"type": "retrieval"}
INTERPRETER = {"type": "code_interpreter"}
V2 = {"OpenAI-Beta": "assistants=v2"}

assistants, threads = client.beta.assistants, client.beta.threads


def file_id() -> str:
    return client.files.create(file=("notes.txt", b"Some words."), purpose="assistants").id


def types_of(tools: list) -> list[str]:
    return [tool.type for tool in tools]


def test_assistant() -> None:
    """an assistant keeps its retrieval tool and its file_ids, and an update replaces them"""
    first, second, third = file_id(), file_id(), file_id()
    made = assistants.create(model=MODEL, tools=[RETRIEVAL, INTERPRETER], file_ids=[first, second])
    expect((types_of(made.tools), made.file_ids), (["retrieval", "code_interpreter"], [first, second]))
    expect(assistants.retrieve(made.id), made)
    assert made in list(assistants.list(limit=100))
    changed = assistants.update(made.id, file_ids=[third])
    expect((types_of(changed.tools), changed.file_ids), (["retrieval", "code_interpreter"], [third]))


def test_files_of_an_assistant() -> None:
    """files are put on an assistant, read, listed and taken off again"""
    first, second = file_id(), file_id()
    made = assistants.create(model=MODEL, tools=[RETRIEVAL], file_ids=[first])
    put = assistants.files.create(made.id, file_id=second)
    expect((put.id, put.object, put.assistant_id), (second, "assistant.file", made.id))
    expect(assistants.files.retrieve(second, assistant_id=made.id), put)
    listed = assistants.files.list(made.id, order="asc", limit=1)
    expect([file.id for file in listed], [first, second])
    expect(assistants.retrieve(made.id).file_ids, [first, second])

    gone = assistants.files.delete(first, assistant_id=made.id)
    expect((gone.id, gone.object, gone.deleted), (first, "assistant.file.deleted", True))
    expect([file.id for file in assistants.files.list(made.id)], [second])
    expect(assistants.retrieve(made.id).file_ids, [second])
    try:
        assistants.files.retrieve(first, assistant_id=made.id)
        raise AssertionError("the file is still on the assistant")
    except NotFoundError:
        pass


def test_files_of_a_message() -> None:
    """a message keeps its file_ids, and they are listed and read"""
    first, second = file_id(), file_id()
    thread = threads.create(messages=[{"role": "user", "content": "Look.", "file_ids": [first]}])
    [begun] = threads.messages.list(thread.id)
    expect(begun.file_ids, [first])
    made = threads.messages.create(thread.id, role="user", content="Look here.", file_ids=[first, second])
    expect(made.file_ids, [first, second])
    expect(threads.messages.retrieve(made.id, thread_id=thread.id), made)
    files = threads.messages.files
    listed = list(files.list(made.id, thread_id=thread.id, order="asc", limit=1))
    expect([file.id for file in listed], [first, second])
    expect({(file.object, file.message_id) for file in listed}, {("thread.message.file", made.id)})
    expect(files.retrieve(second, thread_id=thread.id, message_id=made.id), listed[1])


def test_run() -> None:
    """a run takes tools and file_ids from its assistant, and its answer has no files"""
    file = file_id()
    assistant = assistants.create(model=MODEL, tools=[RETRIEVAL], file_ids=[file])
    thread = threads.create(messages=[{"role": "user", "content": script({"text": "Four."})}])
    run = poll(runs.create(thread.id, assistant_id=assistant.id))
    expect((run.status, types_of(run.tools), run.file_ids), ("completed", ["retrieval"], [file]))
    [answer, _] = threads.messages.list(thread.id)
    expect(answer.file_ids, [])


def test_view_of_version_2() -> None:
    """by the header of version 2 the same assistant and message are in its words"""
    file = file_id()
    made = assistants.create(model=MODEL, tools=[RETRIEVAL, INTERPRETER], file_ids=[file])
    seen = assistants.with_raw_response.retrieve(made.id, extra_headers=V2).http_response.json()
    expect([tool["type"] for tool in seen["tools"]], ["file_search", "code_interpreter"])
    expect(seen["tool_resources"]["code_interpreter"], {"file_ids": [file]})
    assert "file_ids" not in seen

    thread = threads.create()
    message = threads.messages.create(thread.id, role="user", content="Look.", file_ids=[file])
    raw = threads.messages.with_raw_response.retrieve(message.id, thread_id=thread.id, extra_headers=V2)
    seen = raw.http_response.json()
    expect([attachment["file_id"] for attachment in seen["attachments"]], [file])
    assert "file_ids" not in seen


def test_objects_of_version_2_in_a_list() -> None:
    """an assistant of version 2 in a list is in the words of version 1"""
    # Not read strictly, since the SDK's types are those of version 1.
    made = lenient.beta.assistants.create(model=MODEL, tools=[{"type": "file_search"}], extra_headers=V2)
    [seen] = [assistant for assistant in assistants.list(limit=100) if assistant.id == made.id]
    expect((types_of(seen.tools), seen.file_ids), (["retrieval"], []))


def test_files_that_are_not_there() -> None:
    """a file that was never put on an assistant cannot be taken off"""
    assistant_id = create_assistant()
    try:
        assistants.files.delete(file_id(), assistant_id=assistant_id)
        raise AssertionError("it was not refused")
    except NotFoundError as error:
        expect(error.type, "invalid_request_error")
