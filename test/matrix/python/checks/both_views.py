"""Check 8 for SDKs of version 2: with the header of version 1, the same objects are in the words of version 1.

Nothing is read strictly here, since the SDK's types are those of version 2.
"""

from openai import BadRequestError, NotFoundError

from refusal import refused
from scenario import MODEL, expect, lenient, poll, script, text_of

V1 = {"OpenAI-Beta": "assistants=v1"}
V2 = {"OpenAI-Beta": "assistants=v2"}
RETRIEVAL = {"type": "retrieval"}
INTERPRETER = {"type": "code_interpreter"}
ASSISTANT_KEYS = {
    *["id", "object", "created_at", "name", "description", "model", "instructions", "tools", "file_ids", "metadata"]
}

assistants, threads = lenient.beta.assistants, lenient.beta.threads
runs = threads.runs


def file_id() -> str:
    return lenient.files.create(file=("notes.txt", b"Some words."), purpose="assistants").id


def read(retrieve, *ids: str, headers: dict[str, str], **parents: str) -> dict:
    """The JSON of an object in the view of the header."""
    return retrieve(*ids, **parents, extra_headers=headers).http_response.json()


def types_of(seen: dict) -> list[str]:
    return [tool["type"] for tool in seen["tools"]]


def test_assistant() -> None:
    """an assistant is made by version 1 and read by both"""
    file = file_id()
    made = assistants.create(
        model=MODEL, tools=[RETRIEVAL, INTERPRETER], extra_headers=V1, extra_body={"file_ids": [file]}
    )
    expect([tool.type for tool in made.tools], ["retrieval", "code_interpreter"])
    retrieve = assistants.with_raw_response.retrieve
    old, new = read(retrieve, made.id, headers=V1), read(retrieve, made.id, headers=V2)
    expect((set(old), types_of(old), old["file_ids"]), (ASSISTANT_KEYS, ["retrieval", "code_interpreter"], [file]))
    expect(types_of(new), ["file_search", "code_interpreter"])
    expect(new["tool_resources"]["code_interpreter"], {"file_ids": [file]})
    assert "file_ids" not in new


def test_assistant_of_version_2() -> None:
    """files that version 2 gives to an assistant do not show in version 1"""
    made = assistants.create(
        model=MODEL,
        tools=[{"type": "file_search"}, INTERPRETER],
        tool_resources={"code_interpreter": {"file_ids": [file_id()]}},
        temperature=0.5,
    )
    old = read(assistants.with_raw_response.retrieve, made.id, headers=V1)
    expect((set(old), types_of(old), old["file_ids"]), (ASSISTANT_KEYS, ["retrieval", "code_interpreter"], []))
    in_list = [seen for seen in assistants.list(limit=100, extra_headers=V1) if seen.id == made.id]
    expect([[tool.type for tool in seen.tools] for seen in in_list], [["retrieval", "code_interpreter"]])


def test_files_of_an_assistant() -> None:
    """the files of an assistant are there by version 1 only"""
    file = file_id()
    made = assistants.create(model=MODEL, tools=[INTERPRETER])
    path = f"/assistants/{made.id}/files"
    put = lenient.post(path, cast_to=object, body={"file_id": file}, options={"headers": V1})
    expect((put["id"], put["object"], put["assistant_id"]), (file, "assistant.file", made.id))
    listed = lenient.get(path, cast_to=object, options={"headers": V1})
    expect([each["id"] for each in listed["data"]], [file])
    with refused(NotFoundError, f"Invalid URL (GET /v1{path})"):
        lenient.get(path, cast_to=object, options={"headers": V2})

    expect(assistants.retrieve(made.id).tool_resources.code_interpreter.file_ids, [file])
    gone = lenient.delete(f"{path}/{file}", cast_to=object, options={"headers": V1})
    expect((gone["object"], gone["deleted"]), ("assistant.file.deleted", True))
    expect(assistants.retrieve(made.id).tool_resources.code_interpreter.file_ids, [])


def test_message() -> None:
    """file_ids of a message are its attachments in version 2"""
    file = file_id()
    thread = threads.create()
    made = threads.messages.create(
        thread.id, role="user", content="Look.", extra_headers=V1, extra_body={"file_ids": [file]}
    )
    retrieve = threads.messages.with_raw_response.retrieve
    old = read(retrieve, made.id, thread_id=thread.id, headers=V1)
    new = read(retrieve, made.id, thread_id=thread.id, headers=V2)
    expect((old["file_ids"], "attachments" in old), ([file], False))
    expect(([each["file_id"] for each in new["attachments"]], "file_ids" in new), ([file], False))


def test_thread() -> None:
    """a thread has no tool_resources in version 1"""
    made = threads.create(extra_headers=V1)
    retrieve = threads.with_raw_response.retrieve
    expect(set(read(retrieve, made.id, headers=V1)), {"id", "object", "created_at", "metadata"})
    assert "tool_resources" in read(retrieve, made.id, headers=V2)


def test_run() -> None:
    """a run is made and streamed by version 1, and is in the words of both"""
    file = file_id()
    assistant = assistants.create(model=MODEL, tools=[RETRIEVAL], extra_headers=V1, extra_body={"file_ids": [file]})
    thread = threads.create(messages=[{"role": "user", "content": script({"text": "Four."})}])
    events = list(runs.create(thread.id, assistant_id=assistant.id, stream=True, extra_headers=V1))
    run = events[-1].data
    expect((events[-1].event, run.status, run.file_ids), ("thread.run.completed", "completed", [file]))
    [answer] = [event.data for event in events if event.event == "thread.message.completed"]
    expect((text_of(answer), answer.file_ids), ("Four.", []))

    retrieve = runs.with_raw_response.retrieve
    old = read(retrieve, run.id, thread_id=thread.id, headers=V1)
    new = read(retrieve, run.id, thread_id=thread.id, headers=V2)
    expect((types_of(old), old["file_ids"]), (["retrieval"], [file]))
    expect({"tool_resources", "top_p", "parallel_tool_calls"} & set(old), set())
    expect((types_of(new), "file_ids" in new), (["file_search"], False))


def test_incomplete_run() -> None:
    """a run that is incomplete in version 2 is completed in version 1, which has no such status"""
    thread = threads.create(messages=[{"role": "user", "content": script({"text": "word " * 1000})}])
    assistant = assistants.create(model=MODEL)
    run = poll(runs.create(thread.id, assistant_id=assistant.id, max_completion_tokens=256))
    expect(run.status, "incomplete")
    old = read(runs.with_raw_response.retrieve, run.id, thread_id=thread.id, headers=V1)
    expect((old["status"], old["incomplete_details"]), ("completed", {"reason": "max_completion_tokens"}))


def test_tools_of_the_other_version() -> None:
    """version 1 refuses file_search"""
    message = "Invalid value: 'file_search'. Supported values are: 'code_interpreter', 'function', and 'retrieval'."
    with refused(BadRequestError, message, param="tools[0].type", code="invalid_value"):
        assistants.create(model=MODEL, tools=[{"type": "file_search"}], extra_headers=V1)
