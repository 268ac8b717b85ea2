"""Runs whose events are read while they happen, with the SDK's handlers and without."""

from openai import AssistantEventHandler, AsyncAssistantEventHandler, AsyncOpenAI

from .scenario import POLL_MS, SETTINGS, client, create_assistant, expect, messages_of, script, start, text_of

# Slow enough to come in several deltas.
ANSWER = {"text": "Two and two make four – четыре 🙂, as ever.", "chunk_ms": 15}
DELTAS = {"on_text_delta", "on_message_delta"}
CALLBACKS = [
    "on_run_step_created",
    "on_message_created",
    "on_text_created",
    "on_text_done",
    "on_message_done",
    "on_run_step_done",
    "on_end",
]
BEGINNING = ["thread.run.created", "thread.run.queued", "thread.run.in_progress"]

Calls = list[tuple[str, tuple[object, ...]]]


def record(handler: AssistantEventHandler | AsyncAssistantEventHandler) -> Calls:
    """Puts callbacks on the handler that note their name and what they were given. Returns the growing list."""
    calls: Calls = []

    def put(name: str) -> None:
        def note(*given: object) -> None:
            calls.append((name, given))

        async def note_async(*given: object) -> None:
            note(*given)

        setattr(handler, name, note_async if isinstance(handler, AsyncAssistantEventHandler) else note)

    for name in dir(handler):
        if name.startswith("on_"):
            put(name)
    return calls


def check_callbacks(calls: Calls) -> None:
    """Every callback of an answer came in its order, and the text deltas were the text."""
    expect([name for name, _ in calls if name not in DELTAS | {"on_event"}], CALLBACKS)
    deltas = [given for name, given in calls if name == "on_text_delta"]
    assert len(deltas) > 1, "the text came in one piece"
    expect("".join(delta.value for delta, _ in deltas), ANSWER["text"])
    [(text,)] = [given for name, given in calls if name == "on_text_done"]
    expect(text.value, ANSWER["text"])
    events = [given[0].event for name, given in calls if name == "on_event"]
    expect((events[:3], events[-1]), (BEGINNING, "thread.run.completed"))


def test_event_handler() -> None:
    """runs.stream calls every callback of an AssistantEventHandler in its order"""
    handler = AssistantEventHandler()
    calls = record(handler)
    with client.beta.threads.runs.stream(**start(ANSWER), event_handler=handler) as stream:
        stream.until_done()
    check_callbacks(calls)


async def test_async_event_handler() -> None:
    """runs.stream of the async client calls every callback of an AsyncAssistantEventHandler in its order"""
    ids = start(ANSWER)
    handler = AsyncAssistantEventHandler()
    calls = record(handler)
    async with (
        AsyncOpenAI(**SETTINGS) as openai,
        openai.beta.threads.runs.stream(**ids, event_handler=handler) as stream,
    ):
        await stream.until_done()
    check_callbacks(calls)


def test_final_objects() -> None:
    """text_deltas make the final message, and the final run, messages and steps are those that can be read later"""
    with client.beta.threads.runs.stream(**start(ANSWER)) as stream:
        text = "".join(stream.text_deltas)
        run, [message] = stream.get_final_run(), stream.get_final_messages()
        [step] = stream.get_final_run_steps()
    expect((text, text_of(message)), (ANSWER["text"], ANSWER["text"]))
    expect(client.beta.threads.runs.retrieve(run.id, thread_id=run.thread_id), run)
    expect(messages_of(run), [message])
    steps = client.beta.threads.runs.steps
    expect(steps.retrieve(step.id, thread_id=run.thread_id, run_id=run.id).step_details, step.step_details)


async def test_final_objects_async() -> None:
    """text_deltas and the final objects of the async client are the same"""
    ids = start(ANSWER)
    async with AsyncOpenAI(**SETTINGS) as openai, openai.beta.threads.runs.stream(**ids) as stream:
        text = "".join([delta async for delta in stream.text_deltas])
        run, [message] = await stream.get_final_run(), await stream.get_final_messages()
    expect((text, text_of(message)), (ANSWER["text"], ANSWER["text"]))
    expect(messages_of(run), [message])


def test_create_with_stream() -> None:
    """create with stream=True yields the bare events"""
    events = list(client.beta.threads.runs.create(**start(ANSWER), stream=True))
    names = [event.event for event in events]
    expect((names[:3], names[-1]), (BEGINNING, "thread.run.completed"))
    deltas = [event.data.delta for event in events if event.event == "thread.message.delta"]
    expect("".join(text_of(delta) for delta in deltas), ANSWER["text"])


async def test_create_with_stream_async() -> None:
    """create with stream=True of the async client yields the bare events"""
    ids = start(ANSWER)
    async with AsyncOpenAI(**SETTINGS) as openai:
        names = [event.event async for event in await openai.beta.threads.runs.create(**ids, stream=True)]
    expect((names[:3], names[-1]), (BEGINNING, "thread.run.completed"))


def test_create_and_run_stream() -> None:
    """create_and_run_stream begins with the new thread and ends with the completed run"""
    thread = {"messages": [{"role": "user", "content": script(ANSWER)}]}
    with client.beta.threads.create_and_run_stream(assistant_id=create_assistant(), thread=thread) as stream:
        events = list(stream)
        run = stream.get_final_run()
    names = [event.event for event in events]
    expect((names[:4], names[-1]), (["thread.created", *BEGINNING], "thread.run.completed"))
    expect(run.thread_id, events[0].data.id)
    expect([text_of(message) for message in messages_of(run)], [ANSWER["text"]])


def test_create_and_run_with_stream() -> None:
    """create_and_run with stream=True begins with the new thread, too"""
    thread = {"messages": [{"role": "user", "content": script(ANSWER)}]}
    events = list(client.beta.threads.create_and_run(assistant_id=create_assistant(), thread=thread, stream=True))
    expect([event.event for event in events[:4]], ["thread.created", *BEGINNING])
    expect(events[-1].data.status, "completed")


def test_reader_that_times_out() -> None:
    """a reader that loses patience is told of its timeout, and the run completes without it"""
    handler = AssistantEventHandler()
    calls = record(handler)
    ids = start({"text": "late", "delay_ms": 5000})
    try:
        with client.beta.threads.runs.stream(**ids, event_handler=handler, timeout=3) as stream:
            stream.until_done()
    except Exception as error:
        expect(type(error).__name__, "ReadTimeout")
    expect([name for name, _ in calls[-3:]], ["on_timeout", "on_exception", "on_end"])
    run = client.beta.threads.runs.poll(handler.current_run.id, ids["thread_id"], poll_interval_ms=POLL_MS)
    expect(run.status, "completed")


def test_answer_that_is_cut() -> None:
    """an answer that is cut and made anew is whole in the end, and once in the thread"""
    with client.beta.threads.runs.stream(**start({**ANSWER, "cut_after_chunks": 3, "times": 1})) as stream:
        run, messages = stream.get_final_run(), stream.get_final_messages()
    expect(run.status, "completed")
    expect(messages_of(run), [messages[-1]])
    expect(text_of(messages[-1]), ANSWER["text"])
