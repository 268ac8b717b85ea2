"""What the flows start from: a client, an assistant, and messages that tell the scripted model what to say."""

import json
import time
from collections.abc import Callable
from uuid import uuid4

from openai import OpenAI
from openai.types.beta.threads import Message, Run

# Base URL and key are those of OPENAI_BASE_URL and OPENAI_API_KEY, as in any program that uses the SDK.
# Without retries, so that each failure is seen; strict, so that an answer that is not of the SDK's types is one.
SETTINGS = {"max_retries": 0, "timeout": 30, "_strict_response_validation": True}
client = OpenAI(**SETTINGS)

MODEL = "gpt-4o"
# How often the SDK's pollers look, so that flows do not wait as long as the server asks them to.
POLL_MS = 50
DEADLINE_S = 15
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
    return client.beta.threads.runs.create_and_poll(**start(*turns), poll_interval_ms=POLL_MS, **settings)


def answer(run: Run) -> list[dict[str, str]]:
    """An output for each call that the run waits for: the city."""
    calls = run.required_action.submit_tool_outputs.tool_calls
    return [{"tool_call_id": call.id, "output": json.loads(call.function.arguments)["city"]} for call in calls]


def messages_of(run: Run) -> list[Message]:
    """What the run has written into its thread, oldest first."""
    return list(client.beta.threads.messages.list(run.thread_id, run_id=run.id, order="asc"))


def text_of(message: Message) -> str:
    return "".join(part.text.value for part in message.content if part.type == "text")


def expect(actual: object, expected: object) -> None:
    """An assertion that shows both values."""
    assert actual == expected, f"{actual!r} is not {expected!r}"


def wait_until(what: str, condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, f"not within {DEADLINE_S} s: {what}"
        time.sleep(POLL_MS / 1000)
