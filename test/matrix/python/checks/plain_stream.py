"""Check 2: a run whose answer is read while it comes."""

from openai import AsyncOpenAI

from capabilities import STREAMS, needs
from counting import AsyncCountingHandler, Calls, CountingHandler
from scenario import SETTINGS, client, create_assistant, expect, messages_of, runs, script, start, text_of

# Slow enough to come in several deltas.
ANSWER = {"text": "Two and two make four – четыре 🙂, as ever.", "chunk_ms": 60}
BEGINNING = ["thread.run.created", "thread.run.queued", "thread.run.in_progress"]
# Each of these comes once, in this order.
CALLBACKS = [
    "on_run_step_created",
    "on_message_created",
    "on_text_created",
    "on_text_done",
    "on_message_done",
    "on_run_step_done",
    "on_end",
]
# The beginning, four events that open step and message, and three that close message, step and run.
EVENTS_BESIDE_DELTAS = 10


def check_callbacks(calls: Calls) -> None:
    """Every callback came as often as it should, and the text deltas were the text."""
    deltas = len(calls.given("on_text_delta"))
    assert deltas > 1, "the text came in one piece"
    expect(
        calls.counts(),
        {
            **dict.fromkeys(CALLBACKS, 1),
            "on_text_delta": deltas,
            "on_message_delta": deltas,
            "on_event": EVENTS_BESIDE_DELTAS + deltas,
        },
    )
    expect([name for name, _ in calls.calls if name in CALLBACKS], CALLBACKS)
    expect("".join(delta.value for delta, _ in calls.given("on_text_delta")), ANSWER["text"])
    [(text,)] = calls.given("on_text_done")
    expect(text.value, ANSWER["text"])


def check_events(events: list) -> None:
    """Bare events: the deltas are the text, and the run has completed."""
    names = [event.event for event in events]
    expect((names[: len(BEGINNING)], names[-1]), (BEGINNING, "thread.run.completed"))
    expect(events[-1].data.status, "completed")
    deltas = [event.data.delta for event in events if event.event == "thread.message.delta"]
    expect("".join(text_of(delta) for delta in deltas), ANSWER["text"])


def check_final(run, found: list) -> None:
    """The final run and messages of a stream are those that can be read later."""
    expect(runs.retrieve(run.id, thread_id=run.thread_id), run)
    expect((run.status, messages_of(run)), ("completed", found))
    expect([text_of(message) for message in found], [ANSWER["text"]])


@needs(STREAMS)
def test_handler() -> None:
    """runs.stream calls every callback of an AssistantEventHandler as often as it should"""
    handler = CountingHandler()
    with runs.stream(**start(ANSWER), event_handler=handler) as stream:
        stream.until_done()
    check_callbacks(handler)
    check_final(handler.get_final_run(), handler.get_final_messages())


@needs(STREAMS)
async def test_async_handler() -> None:
    """runs.stream of the async client calls every callback of an AsyncAssistantEventHandler as often as it should"""
    ids = start(ANSWER)
    handler = AsyncCountingHandler()
    async with (
        AsyncOpenAI(**SETTINGS) as openai,
        openai.beta.threads.runs.stream(**ids, event_handler=handler) as stream,
    ):
        await stream.until_done()
    check_callbacks(handler)
    check_final(await handler.get_final_run(), await handler.get_final_messages())


@needs(STREAMS)
def test_text_deltas() -> None:
    """text_deltas add up to the text of the final message"""
    with runs.stream(**start(ANSWER)) as stream:
        text = "".join(stream.text_deltas)
        run, found = stream.get_final_run(), stream.get_final_messages()
        [step] = stream.get_final_run_steps()
    expect(text, ANSWER["text"])
    check_final(run, found)
    expect(step.step_details.message_creation.message_id, found[0].id)


@needs(STREAMS)
async def test_text_deltas_async() -> None:
    """text_deltas of the async client add up to the text of the final message"""
    ids = start(ANSWER)
    async with AsyncOpenAI(**SETTINGS) as openai, openai.beta.threads.runs.stream(**ids) as stream:
        text = "".join([delta async for delta in stream.text_deltas])
        run, found = await stream.get_final_run(), await stream.get_final_messages()
    expect(text, ANSWER["text"])
    check_final(run, found)


@needs(STREAMS)
def test_create_and_stream() -> None:
    """runs.create_and_stream, the older name of runs.stream, does the same"""
    with runs.create_and_stream(**start(ANSWER)) as stream:
        check_events(list(stream))
        check_final(stream.get_final_run(), stream.get_final_messages())


@needs(STREAMS)
def test_create_and_run_stream() -> None:
    """create_and_run_stream begins with the new thread"""
    thread = {"messages": [{"role": "user", "content": script(ANSWER)}]}
    with client.beta.threads.create_and_run_stream(assistant_id=create_assistant(), thread=thread) as stream:
        first, *events = stream
        run, found = stream.get_final_run(), stream.get_final_messages()
    expect((first.event, first.data.id), ("thread.created", run.thread_id))
    check_events(events)
    check_final(run, found)


@needs(STREAMS)
def test_bare_events() -> None:
    """create with stream=True yields the bare events"""
    check_events(list(runs.create(**start(ANSWER), stream=True)))


@needs(STREAMS)
async def test_bare_events_async() -> None:
    """create with stream=True of the async client yields the bare events"""
    ids = start(ANSWER)
    async with AsyncOpenAI(**SETTINGS) as openai:
        check_events([event async for event in await openai.beta.threads.runs.create(**ids, stream=True)])


@needs(STREAMS)
def test_create_and_run_with_bare_events() -> None:
    """create_and_run with stream=True yields the bare events behind the new thread"""
    thread = {"messages": [{"role": "user", "content": script(ANSWER)}]}
    first, *events = client.beta.threads.create_and_run(assistant_id=create_assistant(), thread=thread, stream=True)
    expect(first.event, "thread.created")
    check_events(events)
