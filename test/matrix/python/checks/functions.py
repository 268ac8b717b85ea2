"""Check 3: a run that stops for functions, answered by polling and by streams, wrongly and too late."""

import json

from openai import AsyncOpenAI, BadRequestError
from openai.types.beta.threads import Run

from capabilities import STREAMS, needs
from counting import AsyncCountingHandler, Calls, CountingHandler
from refusal import refused
from scenario import (
    SETTINGS,
    answer,
    ask_weather,
    client,
    expect,
    messages_of,
    run_to_rest,
    runs,
    start,
    submit,
    text_of,
    wait_until,
)

CITIES = ["Paris", "Rome"]
# Slow enough for the arguments to come in several deltas.
TURNS = [ask_weather(*CITIES, chunk_ms=15), ask_weather("Bern"), {"text": "Sunny everywhere."}]
# An extension of this server.
# Late enough for a busy machine to come to the call.
SOON = {"expires_after_seconds": 4}


def check_outcome(run: Run) -> None:
    """The run has completed, and its steps show every call with its output."""
    expect((run.status, run.required_action), ("completed", None))
    expect([text_of(message) for message in messages_of(run)], ["Sunny everywhere."])
    *rounds, last = runs.steps.list(run.id, thread_id=run.thread_id, order="asc")
    functions = [[call.function for call in step.step_details.tool_calls] for step in rounds]
    expect([[function.output for function in calls] for calls in functions], [CITIES, ["Bern"]])
    expect(
        {(function.name, json.loads(function.arguments)["city"]) for calls in functions for function in calls},
        {("get_weather", city) for city in [*CITIES, "Bern"]},
    )
    expect((last.type, last.status), ("message_creation", "completed"))


def check_waiting(run: Run, cities: list[str]) -> None:
    expect((run.status, run.required_action.type), ("requires_action", "submit_tool_outputs"))
    expect([output["output"] for output in answer(run)], cities)


def check_callbacks(calls: Calls) -> None:
    """A stream that stopped for the two calls called every callback as often as it should."""
    deltas = len(calls.given("on_run_step_delta"))
    assert deltas > len(CITIES), "the arguments came in one piece"
    expect(
        calls.counts(),
        {
            "on_run_step_created": 1,
            "on_run_step_delta": deltas,
            "on_tool_call_created": len(CITIES),
            "on_tool_call_delta": deltas - len(CITIES),
            "on_tool_call_done": len(CITIES),
            # Three of the run as it begins, two that open the step, and one that asks for outputs.
            "on_event": 6 + deltas,
            "on_end": 1,
        },
    )
    arguments = "".join(delta.function.arguments or "" for delta, _ in calls.given("on_tool_call_delta"))
    expect(arguments, "".join(json.dumps({"city": city}, separators=(",", ":")) for city in CITIES))
    expect(
        [call.function.arguments for (call,) in calls.given("on_tool_call_done")],
        [json.dumps({"city": city}, separators=(",", ":")) for city in CITIES],
    )


def test_poll() -> None:
    """a polled run is given the outputs of two calls, then of one more, and completes"""
    run = run_to_rest(*TURNS)
    check_waiting(run, CITIES)
    run = submit(run, answer(run))
    check_waiting(run, ["Bern"])
    check_outcome(submit(run, answer(run)))


def test_partial_outputs() -> None:
    """outputs for some of the calls are refused, and the run still waits for all"""
    run = run_to_rest(*TURNS)
    first, second = answer(run)
    ids = [first["tool_call_id"], second["tool_call_id"]]
    with refused(BadRequestError, f"Expected tool outputs for call_ids {ids}, got {ids[:1]}"):
        submit(run, [first])
    run = submit(run, [first, second])
    check_waiting(run, ["Bern"])
    check_outcome(submit(run, answer(run)))


def test_late_outputs() -> None:
    """outputs for a run that has expired are refused"""
    run = run_to_rest(ask_weather("Paris"), extra_body=SOON)
    check_waiting(run, ["Paris"])
    wait_until("it expires", lambda: runs.retrieve(run.id, thread_id=run.thread_id).status == "expired")
    with refused(BadRequestError, 'Runs in status "expired" do not accept tool outputs.'):
        submit(run, answer(run))


@needs(STREAMS)
def test_streams() -> None:
    """submit_tool_outputs_stream goes on where the stream stopped for the calls"""
    with runs.stream(**start(*TURNS)) as stream:
        run = stream.get_final_run()
    for cities in [CITIES, ["Bern"]]:
        check_waiting(run, cities)
        with runs.submit_tool_outputs_stream(
            run_id=run.id, thread_id=run.thread_id, tool_outputs=answer(run)
        ) as stream:
            run = stream.get_final_run()
    check_outcome(run)


@needs(STREAMS)
def test_bare_events() -> None:
    """submit_tool_outputs with stream=True yields the bare events of the rest"""
    run = run_to_rest(ask_weather("Paris"), {"text": "Sunny."})
    first, *_, last = runs.submit_tool_outputs(run.id, thread_id=run.thread_id, tool_outputs=answer(run), stream=True)
    expect((first.event, first.data.status), ("thread.run.step.completed", "completed"))
    expect([call.function.output for call in first.data.step_details.tool_calls], ["Paris"])
    expect((last.event, last.data.status), ("thread.run.completed", "completed"))


class WeatherService(CountingHandler):
    """Answers calls from inside the stream that asks for them, as the guides of the SDK do."""

    def on_event(self, event) -> None:
        super().on_event(event)
        if event.event == "thread.run.requires_action":
            self.rest = WeatherService()
            with client.beta.threads.runs.submit_tool_outputs_stream(
                run_id=event.data.id,
                thread_id=event.data.thread_id,
                tool_outputs=answer(event.data),
                event_handler=self.rest,
            ) as stream:
                stream.until_done()


@needs(STREAMS)
def test_handler() -> None:
    """an event handler sees each call begin, grow and end, and answers from inside the stream"""
    handler = WeatherService()
    with runs.stream(**start(*TURNS), event_handler=handler) as stream:
        stream.until_done()
    check_callbacks(handler)
    expect([call.function.output for call in done_step(handler.rest).step_details.tool_calls], CITIES)
    check_outcome(handler.rest.rest.current_run)


class AsyncWeatherService(AsyncCountingHandler):
    """The same for the async client."""

    def __init__(self, openai: AsyncOpenAI) -> None:
        super().__init__()
        self.openai = openai

    async def on_event(self, event) -> None:
        await super().on_event(event)
        if event.event == "thread.run.requires_action":
            self.rest = AsyncWeatherService(self.openai)
            async with self.openai.beta.threads.runs.submit_tool_outputs_stream(
                run_id=event.data.id,
                thread_id=event.data.thread_id,
                tool_outputs=answer(event.data),
                event_handler=self.rest,
            ) as stream:
                await stream.until_done()


@needs(STREAMS)
async def test_async_handler() -> None:
    """an async event handler sees the same, and answers from inside the stream"""
    ids = start(*TURNS)
    async with AsyncOpenAI(**SETTINGS) as openai:
        handler = AsyncWeatherService(openai)
        async with openai.beta.threads.runs.stream(**ids, event_handler=handler) as stream:
            await stream.until_done()
    check_callbacks(handler)
    expect([call.function.output for call in done_step(handler.rest).step_details.tool_calls], CITIES)
    check_outcome(handler.rest.rest.current_run)


def done_step(calls: Calls):
    """The step that the stream behind a submission begins with: that of the calls which were answered."""
    return calls.given("on_run_step_done")[0][0]
