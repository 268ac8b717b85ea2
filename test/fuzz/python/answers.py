"""Checks of every answer, on top of those that come with schemathesis."""

import re

import schemathesis
from schemathesis.generation.meta import CoverageScenario, coverage_scenario

REQUEST_ID = re.compile(r"req_[0-9a-f]{32}")
DONE = b"event: done\ndata: [DONE]\n\n"


@schemathesis.check
def names_its_request(ctx, response, case):
    [request_id] = response.headers.get("x-request-id", [""])
    assert REQUEST_ID.fullmatch(request_id), f"x-request-id is {request_id!r}"


@schemathesis.check
def errors_have_the_shape_of_openai(ctx, response, case):
    """Also of requests that no operation is documented for."""
    if response.status_code < 400:
        return
    error = response.json()["error"]
    assert list(error) == ["message", "type", "param", "code"], error
    expected = "invalid_request_error" if response.status_code < 500 else "server_error"
    assert error["type"] == expected, error
    assert error["message"], error


@schemathesis.check
def unknown_methods_are_not_found(ctx, response, case):
    if coverage_scenario(case) != CoverageScenario.UNSPECIFIED_HTTP_METHOD:
        return
    if case.method == "OPTIONS":
        assert response.status_code == 204, response.status_code
        return
    message = response.json()["error"]["message"]
    if case.path == "/v1/threads/runs" and case.method in ("GET", "DELETE"):
        assert message.startswith("Invalid 'thread_id': 'runs'."), message  # the address of a thread
        return
    assert response.status_code == 404, response.status_code
    assert message.startswith(f"Invalid URL ({case.method} /v1/"), message


@schemathesis.check
def streams_are_whole(ctx, response, case):
    """A stream comes when it is asked for, ends with `done`, and no error breaks it off."""
    if response.status_code != 200:
        return
    is_stream = response.headers.get("content-type", [""])[0].startswith("text/event-stream")
    is_asked_for = isinstance(case.body, dict) and case.body.get("stream") is True
    assert is_stream == (is_asked_for or case.path.endswith("/events")), f"a stream: {is_stream}"
    if is_stream:
        assert not response.stream_cut_short, "the stream did not end"
        assert b"event: error" not in response.content, response.text[-2000:]
        assert response.content.endswith(DONE), response.text[-2000:]
