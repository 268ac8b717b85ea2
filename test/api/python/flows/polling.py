"""Runs that are asked for until they rest."""

import re

from openai import AsyncOpenAI

from .scenario import (
    POLL_MS,
    SETTINGS,
    client,
    create_assistant,
    expect,
    messages_of,
    run_to_rest,
    script,
    start,
    text_of,
)

ANSWER = {"text": "Four – как вы? 🙂"}


def test_create_and_poll() -> None:
    """create_and_poll returns a completed run whose answer is in the thread"""
    run = run_to_rest(ANSWER)
    expect(run.status, "completed")
    assert run.usage.total_tokens > 0
    assert run.completed_at >= run.started_at >= run.created_at
    [message] = messages_of(run)
    expect((message.role, message.status, text_of(message)), ("assistant", "completed", ANSWER["text"]))
    [step] = client.beta.threads.runs.steps.list(run.id, thread_id=run.thread_id)
    expect((step.type, step.status), ("message_creation", "completed"))
    expect(step.step_details.message_creation.message_id, message.id)


async def test_create_and_poll_async() -> None:
    """create_and_poll of the async client does the same"""
    ids = start(ANSWER)
    async with AsyncOpenAI(**SETTINGS) as openai:
        run = await openai.beta.threads.runs.create_and_poll(**ids, poll_interval_ms=POLL_MS)
        expect(run.status, "completed")
        page = await openai.beta.threads.messages.list(run.thread_id)
        expect(text_of(page.data[0]), ANSWER["text"])


def test_create_and_run_poll() -> None:
    """create_and_run_poll makes a thread and completes a run on it"""
    thread = {"messages": [{"role": "user", "content": script(ANSWER)}], "metadata": {"topic": "sums"}}
    run = client.beta.threads.create_and_run_poll(
        assistant_id=create_assistant(), thread=thread, poll_interval_ms=POLL_MS
    )
    expect(run.status, "completed")
    expect(client.beta.threads.retrieve(run.thread_id).metadata, {"topic": "sums"})
    expect([text_of(message) for message in messages_of(run)], [ANSWER["text"]])


def test_poll_at_the_pace_of_the_server() -> None:
    """a poller that has no pace of its own takes that of the server"""
    ids = start(ANSWER)
    expect(client.beta.threads.runs.create_and_poll(**ids).status, "completed")


def test_with_raw_response() -> None:
    """with_raw_response shows the id of the request and how soon to ask again"""
    run = run_to_rest(ANSWER)
    response = client.beta.threads.runs.with_raw_response.retrieve(run.id, thread_id=run.thread_id)
    expect(response.status_code, 200)
    assert re.fullmatch("req_[0-9a-f]{32}", response.headers["x-request-id"])
    expect(response.headers["openai-poll-after-ms"], "500")
    expect(response.parse(), run)
    expect(response.parse()._request_id, response.request_id)
