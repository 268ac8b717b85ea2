"""Check 4: a thread is locked while a run is active on it, and free again when the run was cancelled."""

import re

from openai import BadRequestError

from refusal import refused
from scenario import (
    SLOWLY,
    ask_weather,
    client,
    expect,
    poll,
    run_to_rest,
    runs,
    script,
    start,
    text_of,
)

messages = client.beta.threads.messages


def check_lock(run) -> None:
    """The thread refuses a message and a run, and names the run that is active."""
    thread_id = run.thread_id
    with refused(BadRequestError, f"Can't add messages to {thread_id} while a run {run.id} is active."):
        messages.create(thread_id, role="user", content="And me?")
    with refused(BadRequestError, f"Thread {thread_id} already has an active run {run.id}."):
        runs.create(thread_id, assistant_id=run.assistant_id)


def check_free(run) -> None:
    """The thread takes a message and a run, which answers it."""
    messages.create(run.thread_id, role="user", content=script({"text": "Now it is."}))
    again = poll(runs.create(run.thread_id, assistant_id=run.assistant_id))
    expect(again.status, "completed")
    newest, *_ = messages.list(run.thread_id)
    expect((newest.run_id, text_of(newest)), (again.id, "Now it is."))


def test_while_it_talks() -> None:
    """a run that talks locks its thread until it is cancelled"""
    run = runs.create(**start(SLOWLY))
    check_lock(run)
    expect(runs.cancel(run.id, thread_id=run.thread_id).status, "cancelling")
    run = poll(run)
    assert run.cancelled_at >= run.created_at
    expect(run.status, "cancelled")
    check_free(run)


def test_while_it_waits() -> None:
    """a run that waits for outputs locks its thread until it is cancelled"""
    run = run_to_rest(ask_weather("Paris"))
    expect(run.status, "requires_action")
    check_lock(run)
    runs.cancel(run.id, thread_id=run.thread_id)
    check_free(run)
    run = poll(run)
    expect((run.status, run.required_action), ("cancelled", None))
    with refused(BadRequestError, "Cannot cancel run with status 'cancelled'."):
        runs.cancel(run.id, thread_id=run.thread_id)


def test_id_in_the_text() -> None:
    """a program that takes the run's id from the text of the refusal can cancel it and go on"""
    thread_id = runs.create(**start(SLOWLY)).thread_id
    try:
        messages.create(thread_id, role="user", content="And me?")
        raise AssertionError("it was not refused")
    except BadRequestError as error:
        run_id = re.search(r"run_[A-Za-z0-9]+", str(error)).group()
    run = poll(runs.cancel(run_id, thread_id=thread_id))
    expect(run.status, "cancelled")
    check_free(run)
