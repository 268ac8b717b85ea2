"""Check 6 for SDKs of version 1: runs that retrieve from the files of messages and assistants, and quote them."""

from scenario import MODEL, client, expect, messages_of, poll, runs, script
from searching import ANSWER, OWL, OWL_TEXT, SEARCH, check_citation

RETRIEVAL = [{"type": "retrieval"}]


def check_quote(file_id: str, *, of_assistant: list[str], of_message: list[str]) -> None:
    """A run with these files calls its tool and quotes the file."""
    assistant = client.beta.assistants.create(model=MODEL, tools=RETRIEVAL, file_ids=of_assistant)
    question = {"role": "user", "content": script(SEARCH, ANSWER), "file_ids": of_message}
    thread = client.beta.threads.create(messages=[question])
    run = poll(runs.create(thread.id, assistant_id=assistant.id))
    expect((run.status, run.last_error), ("completed", None))
    steps = runs.steps.list(run.id, thread_id=thread.id, order="asc").data
    expect([step.type for step in steps], ["tool_calls", "message_creation"])
    [call] = steps[0].step_details.tool_calls
    expect((call.type, call.retrieval), ("retrieval", {}))
    [message] = messages_of(run)
    expect(check_citation(message, file_id).quote, OWL_TEXT)
    expect(message.file_ids, [])


def test_files_of_a_message() -> None:
    """the file of a message is searched and quoted"""
    file_id = client.files.create(file=OWL, purpose="assistants").id
    check_quote(file_id, of_assistant=[], of_message=[file_id])


def test_files_of_an_assistant() -> None:
    """the file of an assistant is searched and quoted"""
    file_id = client.files.create(file=OWL, purpose="assistants").id
    check_quote(file_id, of_assistant=[file_id], of_message=[])
