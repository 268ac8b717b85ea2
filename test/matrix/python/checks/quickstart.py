"""Check 1: an assistant, a thread, a message, a run that is polled, and its answer."""

from openai import AsyncOpenAI

from capabilities import POLLERS, needs
from scenario import (
    MODEL,
    POLL_MS,
    SETTINGS,
    client,
    create_assistant,
    expect,
    messages_of,
    poll,
    runs,
    script,
    text_of,
)

ANSWER = {"text": "Four – как вы? 🙂"}
QUESTION = {"role": "user", "content": script(ANSWER)}


def check_answer(run) -> None:
    """The run has completed, and its answer is in the thread and in its step."""
    expect((run.status, run.last_error, run.required_action), ("completed", None, None))
    assert run.completed_at >= run.started_at >= run.created_at
    [message] = messages_of(run)
    expect((message.role, message.assistant_id, text_of(message)), ("assistant", run.assistant_id, ANSWER["text"]))
    [step] = runs.steps.list(run.id, thread_id=run.thread_id)
    expect((step.type, step.status), ("message_creation", "completed"))
    expect(step.step_details.message_creation.message_id, message.id)


def test_one_by_one() -> None:
    """an assistant, a thread and a message are made, and a run is polled until it has answered"""
    tutor = client.beta.assistants.create(name="Tutor", instructions="Be patient.", model=MODEL)
    thread = client.beta.threads.create()
    question = client.beta.threads.messages.create(thread.id, **QUESTION)
    expect((question.role, text_of(question)), ("user", QUESTION["content"]))
    run = runs.create(thread.id, assistant_id=tutor.id, instructions="Call the user Jane.")
    expect((run.status, run.instructions), ("queued", "Call the user Jane."))
    check_answer(poll(run))
    [answer, first] = client.beta.threads.messages.list(thread.id)
    expect((text_of(answer), first.id), (ANSWER["text"], question.id))


async def test_async() -> None:
    """the async client does the same"""
    assistant_id = create_assistant()
    async with AsyncOpenAI(**SETTINGS) as openai:
        thread = await openai.beta.threads.create(messages=[QUESTION])
        run = await openai.beta.threads.runs.create(thread.id, assistant_id=assistant_id)
        check_answer(poll(run))
        page = await openai.beta.threads.messages.list(thread.id)
        expect(text_of(page.data[0]), ANSWER["text"])


def test_create_and_run() -> None:
    """create_and_run makes a thread and a run on it"""
    thread = {"messages": [QUESTION], "metadata": {"topic": "sums"}}
    run = client.beta.threads.create_and_run(assistant_id=create_assistant(), thread=thread)
    check_answer(poll(run))
    expect(client.beta.threads.retrieve(run.thread_id).metadata, {"topic": "sums"})


@needs(POLLERS)
def test_create_and_poll() -> None:
    """create_and_poll returns a completed run"""
    thread = client.beta.threads.create(messages=[QUESTION])
    run = runs.create_and_poll(thread_id=thread.id, assistant_id=create_assistant(), poll_interval_ms=POLL_MS)
    check_answer(run)


@needs(POLLERS)
def test_create_and_run_poll() -> None:
    """create_and_run_poll returns a completed run on a new thread, at the pace that the server asks for"""
    thread = {"messages": [QUESTION]}
    check_answer(client.beta.threads.create_and_run_poll(assistant_id=create_assistant(), thread=thread))


@needs(POLLERS)
async def test_create_and_poll_async() -> None:
    """create_and_poll of the async client returns a completed run"""
    thread = client.beta.threads.create(messages=[QUESTION])
    assistant_id = create_assistant()
    async with AsyncOpenAI(**SETTINGS) as openai:
        run = await openai.beta.threads.runs.create_and_poll(
            thread_id=thread.id, assistant_id=assistant_id, poll_interval_ms=POLL_MS
        )
    check_answer(run)
