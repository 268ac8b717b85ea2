"""Requests that are refused: the exception's class, and what it carries."""

from collections.abc import Iterator
from contextlib import contextmanager

from openai import APIStatusError, AuthenticationError, BadRequestError, NotFoundError, OpenAI

from .scenario import SLOWLY, answer, ask_weather, client, create_assistant, expect, run_to_rest, start

NO_ID = "000000000000000000000000"


@contextmanager
def refused(
    kind: type[APIStatusError], message: str, *, param: str | None = None, code: str | None = None
) -> Iterator[None]:
    """Fails unless the block is refused in exactly this way."""
    try:
        yield
    except kind as error:
        expect(error.body, {"message": message, "type": "invalid_request_error", "param": param, "code": code})
        expect((error.type, error.param, error.code), ("invalid_request_error", param, code))
        assert error.request_id.startswith("req_")
        assert message in error.message
    else:
        raise AssertionError(f"it was not refused: {message}")


def test_unknown_ids() -> None:
    """an id that does not exist is a NotFoundError that names it"""
    beta = client.beta
    thread_id = beta.threads.create().id
    with refused(NotFoundError, f"No assistant found with id 'asst_{NO_ID}'."):
        beta.assistants.retrieve(f"asst_{NO_ID}")
    with refused(NotFoundError, f"No thread found with id 'thread_{NO_ID}'."):
        beta.threads.retrieve(f"thread_{NO_ID}")
    with refused(NotFoundError, f"No message found with id 'msg_{NO_ID}'."):
        beta.threads.messages.retrieve(f"msg_{NO_ID}", thread_id=thread_id)
    with refused(NotFoundError, f"No run found with id 'run_{NO_ID}'."):
        beta.threads.runs.retrieve(f"run_{NO_ID}", thread_id=thread_id)
    with refused(NotFoundError, f"No assistant found with id 'asst_{NO_ID}'."):
        beta.threads.runs.create(thread_id, assistant_id=f"asst_{NO_ID}")
    with refused(NotFoundError, "The model 'no-such-model' does not exist", param="model", code="model_not_found"):
        client.models.retrieve("no-such-model")


def test_wrong_key() -> None:
    """a wrong key is an AuthenticationError that does not repeat it"""
    stranger = OpenAI(api_key="sk-nobody-knows-this", max_retries=0)
    message = (
        "Incorrect API key provided: sk-no***is. "
        "You can find your API key at https://platform.openai.com/account/api-keys."
    )
    with refused(AuthenticationError, message, code="invalid_api_key"):
        stranger.beta.threads.create()


def test_wrong_parameters() -> None:
    """a parameter that is missing or out of its range is a BadRequestError that names it"""
    with refused(
        BadRequestError,
        "Missing required parameter: 'model'.",
        param="model",
        code="missing_required_parameter",
    ):
        client.post("/assistants", cast_to=object, body={}, options={"headers": {"OpenAI-Beta": "assistants=v2"}})
    with refused(
        BadRequestError,
        "Invalid 'temperature': decimal above maximum value. Expected a value <= 2, but got 3 instead.",
        param="temperature",
        code="decimal_above_max_value",
    ):
        client.beta.assistants.create(model="gpt-4o", temperature=3)
    with refused(BadRequestError, "Unknown parameter: 'colour'.", param="colour", code="unknown_parameter"):
        client.beta.threads.create(extra_body={"colour": "blue"})


def test_locked_thread() -> None:
    """a thread with an active run refuses another run and a message, and names the run"""
    ids = start(SLOWLY)
    thread_id = ids["thread_id"]
    run = client.beta.threads.runs.create(**ids)
    with refused(BadRequestError, f"Thread {thread_id} already has an active run {run.id}."):
        client.beta.threads.runs.create(**ids)
    with refused(BadRequestError, f"Thread {thread_id} already has an active run {run.id}."):
        client.beta.threads.runs.create(**ids, stream=True)
    with refused(BadRequestError, f"Can't add messages to {thread_id} while a run {run.id} is active."):
        client.beta.threads.messages.create(thread_id, role="user", content="And me?")
    client.beta.threads.runs.cancel(run.id, thread_id=thread_id)


def test_tool_outputs() -> None:
    """outputs have to answer exactly the calls that the run waits for, while it waits"""
    runs = client.beta.threads.runs
    run = run_to_rest(ask_weather("Paris", "Rome"))
    first, second = answer(run)
    expected = f"['{first['tool_call_id']}', '{second['tool_call_id']}']"
    message = f"Expected tool outputs for call_ids {expected}, got ['{first['tool_call_id']}']"
    with refused(BadRequestError, message):
        runs.submit_tool_outputs(run.id, thread_id=run.thread_id, tool_outputs=[first])
    runs.cancel(run.id, thread_id=run.thread_id)
    with refused(BadRequestError, 'Runs in status "cancelled" do not accept tool outputs.'):
        runs.submit_tool_outputs(run.id, thread_id=run.thread_id, tool_outputs=[first, second])
    with refused(BadRequestError, "Cannot cancel run with status 'cancelled'."):
        runs.cancel(run.id, thread_id=run.thread_id)


def test_deleted_assistant() -> None:
    """a deleted assistant cannot run any more"""
    assistant_id = create_assistant()
    client.beta.assistants.delete(assistant_id)
    with refused(NotFoundError, f"No assistant found with id '{assistant_id}'."):
        client.beta.threads.create_and_run(assistant_id=assistant_id)
