"""Check 7: runs that run code over a file, and show what it has drawn and written."""

from openai import AsyncOpenAI

from capabilities import (
    FILE_IDS,
    STREAMS,
    TOOL_RESOURCES,
    AssistantEventHandler,
    AsyncAssistantEventHandler,
    needs,
)
from coding import ANSWER, CODE, LOGS, RUN, TABLE, TEXT, check_answer, check_call
from scenario import MODEL, SETTINGS, client, expect, messages_of, poll, runs, script

TOOLS = [{"type": "code_interpreter"}]

assistants, threads = client.beta.assistants, client.beta.threads


def upload() -> str:
    """The id of the table."""
    return client.files.create(file=TABLE, purpose="assistants").id


def begin(assistant: dict[str, object], message: dict[str, object]) -> dict[str, str]:
    """Makes an assistant and a thread with a question, each with these fields besides."""
    made = assistants.create(model=MODEL, tools=TOOLS, **assistant)
    thread = threads.create(messages=[{"role": "user", "content": script(RUN, ANSWER), **message}])
    return {"assistant_id": made.id, "thread_id": thread.id}


def check_run(run: object) -> None:
    """A run that has ended: its step, and its answer."""
    expect((run.status, run.last_error), ("completed", None))
    steps = runs.steps.list(run.id, thread_id=run.thread_id, order="asc").data
    expect([step.type for step in steps], ["tool_calls", "message_creation"])
    [call] = steps[0].step_details.tool_calls
    [message] = messages_of(run)
    check_answer(message, check_call(call))


@needs(TOOL_RESOURCES)
def test_files_of_an_assistant() -> None:
    """code reads the files of an assistant, and the answer gives out what it has drawn and written"""
    check_run(poll(runs.create(**begin({"tool_resources": {"code_interpreter": {"file_ids": [upload()]}}}, {}))))


@needs(TOOL_RESOURCES)
def test_attachment() -> None:
    """code reads a file that is attached to a message, which is then one of the thread's"""
    file = upload()
    ids = begin({}, {"attachments": [{"file_id": file, "tools": TOOLS}]})
    expect(threads.retrieve(ids["thread_id"]).tool_resources.code_interpreter.file_ids, [file])
    check_run(poll(runs.create(**ids)))


@needs(FILE_IDS)
def test_files_of_version_1() -> None:
    """code reads the file_ids of an assistant, and those of a message"""
    file = {"file_ids": [upload()]}
    for ids in (begin(file, {}), begin({}, file)):
        check_run(poll(runs.create(**ids)))


class Collector:
    """What the callbacks of a handler were given."""

    def __init__(self) -> None:
        super().__init__()
        self.created, self.input, self.logs, self.texts = [], [], [], []

    def take(self, delta: object) -> None:
        if delta.code_interpreter.input:
            self.input.append(delta.code_interpreter.input)
        for output in delta.code_interpreter.outputs or []:
            if output.type == "logs":
                self.logs.append(output.logs)

    def check(self) -> None:
        expect((self.created, "".join(self.input), "".join(self.logs)), (["code_interpreter"], CODE, LOGS))
        assert len(self.input) > 1, "the code came in one piece"
        expect("".join(self.texts), TEXT)


@needs(STREAMS)
def test_handler() -> None:
    """an event handler sees the code while it is written, then what it printed, then the answer"""

    class Handler(Collector, AssistantEventHandler):
        def on_tool_call_created(self, tool_call: object) -> None:
            self.created.append(tool_call.type)

        def on_tool_call_delta(self, delta: object, snapshot: object) -> None:
            self.take(delta)

        def on_text_delta(self, delta: object, snapshot: object) -> None:
            self.texts.append(delta.value or "")

    handler = Handler()
    with runs.stream(**streamed(), event_handler=handler) as stream:
        stream.until_done()
        run, [message] = stream.get_final_run(), stream.get_final_messages()
        [step, _] = stream.get_final_run_steps()
    handler.check()
    check_answer(message, check_call(step.step_details.tool_calls[0]))
    check_run(run)


@needs(STREAMS)
async def test_async_handler() -> None:
    """so does one of the async client"""

    class Handler(Collector, AsyncAssistantEventHandler):
        async def on_tool_call_created(self, tool_call: object) -> None:
            self.created.append(tool_call.type)

        async def on_tool_call_delta(self, delta: object, snapshot: object) -> None:
            self.take(delta)

        async def on_text_delta(self, delta: object, snapshot: object) -> None:
            self.texts.append(delta.value or "")

    handler, ids = Handler(), streamed()
    async with AsyncOpenAI(**SETTINGS) as openai, openai.beta.threads.runs.stream(**ids, event_handler=handler) as stream:
        await stream.until_done()
        run = await stream.get_final_run()
    handler.check()
    check_run(run)


def streamed() -> dict[str, str]:
    return begin({"tool_resources": {"code_interpreter": {"file_ids": [upload()]}}}, {})
