"""Check 12: a run whose answer does not fit."""

from capabilities import API, INCOMPLETE_EVENT, STREAMS, TOKEN_LIMITS, needs
from counting import CountingHandler
from scenario import expect, messages_of, run_to_rest, runs, start, text_of

LONG = {"text": "word " * 1000}
# Version 1 has no status for it: there the run is completed, and says beside it what it lacks.
STATUS = {"v1": "completed", "v2": "incomplete"}[API]


def check_incomplete(run) -> None:
    expect((run.status, reason_of(run), run.last_error), (STATUS, "max_completion_tokens", None))
    [message] = messages_of(run)
    expect((message.status, reason_of(message)), ("incomplete", "max_tokens"))
    text = text_of(message)
    assert text and LONG["text"].startswith(text) and text != LONG["text"], text


def reason_of(thing) -> str:
    """Also where the SDK's types do not know the field."""
    details = thing.incomplete_details
    return details["reason"] if isinstance(details, dict) else details.reason


def test_as_an_extra_field() -> None:
    """a run that may say 256 tokens ends in the middle of a long answer, and says why"""
    check_incomplete(run_to_rest(LONG, extra_body={"max_completion_tokens": 256}))


@needs(TOKEN_LIMITS)
def test_poll() -> None:
    """the same with the SDK's own parameter"""
    check_incomplete(run_to_rest(LONG, max_completion_tokens=256))


@needs(STREAMS, INCOMPLETE_EVENT)
def test_handler() -> None:
    """a stream ends with the incomplete run, and its deltas are what was said of the text"""
    handler = CountingHandler()
    with runs.stream(**start(LONG), max_completion_tokens=256, event_handler=handler) as stream:
        stream.until_done()
    run = handler.get_final_run()
    check_incomplete(run)
    expect(handler.get_final_messages(), messages_of(run))
    text = "".join(delta.value for delta, _ in handler.given("on_text_delta"))
    expect(text, text_of(messages_of(run)[0]))
    expect(
        {name: handler.counts().get(name) for name in ["on_message_done", "on_run_step_done", "on_end"]},
        {"on_message_done": 1, "on_run_step_done": 1, "on_end": 1},
    )
