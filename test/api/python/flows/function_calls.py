"""Runs that stop for functions: three calls at once, and a second round."""

import json

from openai import AssistantEventHandler, AsyncAssistantEventHandler, AsyncOpenAI
from openai.types.beta import AssistantStreamEvent
from openai.types.beta.threads import Run
from openai.types.beta.threads.runs import RunStep

from .scenario import POLL_MS, SETTINGS, answer, ask_weather, client, expect, messages_of, run_to_rest, start, text_of

CITIES = ["Paris", "Rome", "Oslo"]
# Slow enough for the arguments to come in several deltas.
TURNS = [ask_weather(*CITIES, chunk_ms=15), ask_weather("Bern"), {"text": "Sunny everywhere."}]


def calls_of(step: RunStep) -> list[tuple[str, str, str]]:
    """Name, city and output of each call of the step."""
    functions = [call.function for call in step.step_details.tool_calls]
    return [(function.name, json.loads(function.arguments)["city"], function.output) for function in functions]


def check_outcome(run: Run) -> None:
    expect((run.status, run.required_action), ("completed", None))
    expect([text_of(message) for message in messages_of(run)], ["Sunny everywhere."])
    first, second, last = client.beta.threads.runs.steps.list(run.id, thread_id=run.thread_id, order="asc")
    expect(calls_of(first), [("get_weather", city, city) for city in CITIES])
    expect(calls_of(second), [("get_weather", "Bern", "Bern")])
    expect(last.type, "message_creation")


def test_polling() -> None:
    """submit_tool_outputs_and_poll answers three calls at once, then one more, and the run completes"""
    run = run_to_rest(*TURNS)
    for cities in [CITIES, ["Bern"]]:
        expect((run.status, [output["output"] for output in answer(run)]), ("requires_action", cities))
        run = client.beta.threads.runs.submit_tool_outputs_and_poll(
            run_id=run.id, thread_id=run.thread_id, tool_outputs=answer(run), poll_interval_ms=POLL_MS
        )
    check_outcome(run)


def test_streams() -> None:
    """submit_tool_outputs_stream goes on where the stream stopped for the calls"""
    runs = client.beta.threads.runs
    with runs.stream(**start(*TURNS)) as stream:
        run = stream.get_final_run()
    for cities in [CITIES, ["Bern"]]:
        expect((run.status, [output["output"] for output in answer(run)]), ("requires_action", cities))
        with runs.submit_tool_outputs_stream(
            run_id=run.id, thread_id=run.thread_id, tool_outputs=answer(run)
        ) as stream:
            run = stream.get_final_run()
    check_outcome(run)


def test_submit_with_stream() -> None:
    """submit_tool_outputs with stream=True yields the bare events of the rest"""
    run = run_to_rest(ask_weather("Paris"), {"text": "Sunny."})
    events = list(
        client.beta.threads.runs.submit_tool_outputs(
            run.id, thread_id=run.thread_id, tool_outputs=answer(run), stream=True
        )
    )
    expect(events[0].event, "thread.run.step.completed")
    expect(calls_of(events[0].data), [("get_weather", "Paris", "Paris")])
    expect(events[-1].event, "thread.run.completed")


class WeatherService(AssistantEventHandler):
    """Answers calls from inside the stream that asks for them, as the guides of the SDK do."""

    def __init__(self) -> None:
        super().__init__()
        self.created = 0
        self.arguments = ""
        self.done: list[str] = []

    def on_tool_call_created(self, tool_call) -> None:
        self.created += 1
        self.arguments += tool_call.function.arguments

    def on_tool_call_delta(self, delta, snapshot) -> None:
        self.arguments += delta.function.arguments or ""

    def on_tool_call_done(self, tool_call) -> None:
        self.done.append(json.loads(tool_call.function.arguments)["city"])

    def on_event(self, event: AssistantStreamEvent) -> None:
        if event.event == "thread.run.requires_action":
            self.rest = WeatherService()
            with client.beta.threads.runs.submit_tool_outputs_stream(
                run_id=event.data.id,
                thread_id=event.data.thread_id,
                tool_outputs=answer(event.data),
                event_handler=self.rest,
            ) as stream:
                stream.until_done()


def test_handlers() -> None:
    """an event handler sees each call begin, grow and end, and can answer from inside the stream"""
    handler = WeatherService()
    with client.beta.threads.runs.stream(**start(*TURNS), event_handler=handler) as stream:
        stream.until_done()
    expect((handler.created, handler.done), (3, CITIES))
    expect(handler.arguments, "".join(json.dumps({"city": city}, separators=(",", ":")) for city in CITIES))
    expect((handler.rest.created, handler.rest.done), (1, ["Bern"]))
    check_outcome(handler.rest.rest.current_run)


class AsyncWeatherService(AsyncAssistantEventHandler):
    """The same for the async client."""

    def __init__(self, openai: AsyncOpenAI) -> None:
        super().__init__()
        self.openai = openai

    async def on_event(self, event: AssistantStreamEvent) -> None:
        if event.event == "thread.run.requires_action":
            self.rest = AsyncWeatherService(self.openai)
            async with self.openai.beta.threads.runs.submit_tool_outputs_stream(
                run_id=event.data.id,
                thread_id=event.data.thread_id,
                tool_outputs=answer(event.data),
                event_handler=self.rest,
            ) as stream:
                await stream.until_done()


async def test_async_handlers() -> None:
    """an async event handler can answer calls from inside the stream"""
    ids = start(*TURNS)
    async with AsyncOpenAI(**SETTINGS) as openai:
        handler = AsyncWeatherService(openai)
        async with openai.beta.threads.runs.stream(**ids, event_handler=handler) as stream:
            await stream.until_done()
    check_outcome(handler.rest.rest.current_run)
