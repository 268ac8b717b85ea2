"""What the checks start from: clients, an assistant, and messages that tell the scripted model what to say."""

import json
import time
from collections.abc import Callable
from uuid import uuid4

from openai import OpenAI
from openai.types.beta.threads import Run

from capabilities import MESSAGES_OF_RUN, POLLERS, STRICT_RUNS

# Base URL and key are those of OPENAI_BASE_URL and OPENAI_API_KEY, as in any program that uses the SDK.
# Without retries, so that each failure is seen; strict, so that an answer that is not of the SDK's types is one.
SETTINGS = {"max_retries": 0, "timeout": 30, "_strict_response_validation": True}
client = OpenAI(**SETTINGS)
lenient = OpenAI(**{**SETTINGS, "_strict_response_validation": False})
runs = (client if STRICT_RUNS.is_here else lenient).beta.threads.runs

# Both versions of the API know it.
MODEL = "gpt-4-turbo"
# How often the runs are looked at, so that checks do not wait as long as the server asks pollers to.
POLL_MS = 50
# A run may wait a minute for files of its thread.
DEADLINE_S = 60
SLOWLY = {"text": "word " * 2000, "chunk_ms": 20}

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


def ask_weather(*cities: str, **turn: object) -> dict[str, object]:
    """A turn of the model that calls the function once for each city."""
    return {"tool_calls": [{"name": "get_weather", "arguments": {"city": city}} for city in cities], **turn}


def script(*turns: dict[str, object]) -> str:
    """The content of a user message that makes the model say these turns."""
    return f"Hello!\n#script {json.dumps({'key': str(uuid4()), 'turns': turns})}"


def create_assistant() -> str:
    """The id of an assistant that can ask for the weather."""
    return client.beta.assistants.create(model=MODEL, tools=[WEATHER]).id


def start(*turns: dict[str, object]) -> dict[str, str]:
    """Makes an assistant and a thread. Returns their ids, under the names that methods of runs take them by."""
    thread = client.beta.threads.create(messages=[{"role": "user", "content": script(*turns)}])
    return {"assistant_id": create_assistant(), "thread_id": thread.id}


def run_to_rest(*turns: dict[str, object], **settings: object) -> Run:
    """A run that has ended or waits for outputs."""
    ids = start(*turns)
    if POLLERS.is_here:
        return runs.create_and_poll(**ids, poll_interval_ms=POLL_MS, **settings)
    return poll(runs.create(**ids, **settings))


def submit(run: Run, outputs: list[dict[str, str]]) -> Run:
    """The run when it has ended or waits for outputs again."""
    ids = {"run_id": run.id, "thread_id": run.thread_id}
    if POLLERS.is_here:
        return runs.submit_tool_outputs_and_poll(**ids, tool_outputs=outputs, poll_interval_ms=POLL_MS)
    return poll(runs.submit_tool_outputs(**ids, tool_outputs=outputs))


def poll(run: Run) -> Run:
    """The run when it has ended or waits for outputs."""
    if POLLERS.is_here:
        return runs.poll(run.id, thread_id=run.thread_id, poll_interval_ms=POLL_MS)
    deadline = time.monotonic() + DEADLINE_S
    while True:
        run = runs.retrieve(run.id, thread_id=run.thread_id)
        if run.status not in ("queued", "in_progress", "cancelling"):
            return run
        assert time.monotonic() < deadline, f"the run is still {run.status} after {DEADLINE_S} s"
        time.sleep(POLL_MS / 1000)


def answer(run: Run) -> list[dict[str, str]]:
    """An output for each call that the run waits for: the city."""
    calls = run.required_action.submit_tool_outputs.tool_calls
    return [{"tool_call_id": call.id, "output": json.loads(call.function.arguments)["city"]} for call in calls]


def messages_of(run: Run, reader: OpenAI = client) -> list:
    """What the run has written into its thread, oldest first."""
    if MESSAGES_OF_RUN.is_here:
        return list(reader.beta.threads.messages.list(run.thread_id, run_id=run.id, order="asc"))
    everything = reader.beta.threads.messages.list(run.thread_id, order="asc")
    return [message for message in everything if message.run_id == run.id]


def text_of(message: object) -> str:
    return "".join(part.text.value for part in message.content if part.type == "text")


def expect(actual: object, expected: object) -> None:
    """An assertion that shows both values."""
    assert actual == expected, f"{actual!r} is not {expected!r}"


def wait_until(what: str, condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, f"not within {DEADLINE_S} s: {what}"
        time.sleep(POLL_MS / 1000)
