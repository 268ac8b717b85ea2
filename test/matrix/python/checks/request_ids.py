"""Check 10: every answer names its request, by whatever means the SDK has."""

import re

from openai import NotFoundError

from capabilities import ERRORS_WITH_REQUEST_ID, OBJECTS_WITH_REQUEST_ID, STREAMING_RESPONSES, STREAMS, needs
from refusal import NO_ID
from scenario import client, expect, runs, start

threads = client.beta.threads
ANSWER = {"text": "Four."}


def check_id(request_id: str) -> str:
    assert re.fullmatch("req_[0-9a-f]{32}", request_id or ""), f"{request_id!r} is no id of a request"
    return request_id


def test_raw_response() -> None:
    """with_raw_response shows the id beside the object, a new one for each request"""
    made = threads.with_raw_response.create()
    expect(made.status_code, 200)
    read = threads.with_raw_response.retrieve(made.parse().id)
    expect(read.parse().id, made.parse().id)
    assert check_id(made.headers["x-request-id"]) != check_id(read.headers["x-request-id"])


@needs(OBJECTS_WITH_REQUEST_ID)
def test_object() -> None:
    """an object has the id as _request_id"""
    response = threads.with_raw_response.create()
    expect(check_id(response.parse()._request_id), response.headers["x-request-id"])


def refusal() -> NotFoundError:
    try:
        threads.retrieve(f"thread_{NO_ID}")
    except NotFoundError as error:
        return error
    raise AssertionError("it was not refused")


def test_error() -> None:
    """the response of an error has the id"""
    check_id(refusal().response.headers["x-request-id"])


@needs(ERRORS_WITH_REQUEST_ID)
def test_error_itself() -> None:
    """an error has the id as request_id"""
    error = refusal()
    expect(check_id(error.request_id), error.response.headers["x-request-id"])


@needs(STREAMS)
def test_stream() -> None:
    """the response of a stream has the id before the first event"""
    stream = runs.create(**start(ANSWER), stream=True)
    check_id(stream.response.headers["x-request-id"])
    expect([event.event for event in stream][-1], "thread.run.completed")


@needs(STREAMS)
def test_raw_stream() -> None:
    """with_raw_response of a stream shows the id and the events"""
    response = runs.with_raw_response.create(**start(ANSWER), stream=True)
    check_id(response.headers["x-request-id"])
    expect([event.event for event in response.parse()][-1], "thread.run.completed")


@needs(STREAMING_RESPONSES)
def test_streaming_response() -> None:
    """with_streaming_response shows the id before the body is read"""
    with threads.with_streaming_response.create() as response:
        check_id(response.headers["x-request-id"])
        assert response.parse().id.startswith("thread_")


@needs(STREAMS, STREAMING_RESPONSES)
def test_streaming_response_of_a_stream() -> None:
    """with_streaming_response of a stream shows the id, and the lines as they come"""
    with runs.with_streaming_response.create(**start(ANSWER), stream=True) as response:
        check_id(response.headers["x-request-id"])
        lines = [line for line in response.iter_lines() if line]
    expect((lines[0], lines[-2:]), ("event: thread.run.created", ["event: done", "data: [DONE]"]))
