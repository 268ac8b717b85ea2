"""Runs that do not complete: cancelled, expired, incomplete and failed."""

from openai.types.beta.threads import Run

from .scenario import POLL_MS, SLOWLY, ask_weather, client, expect, messages_of, run_to_rest, start, text_of, wait_until

# An extension of this server.
SOON = {"expires_after_seconds": 2}


def expect_free_thread(run: Run) -> None:
    client.beta.threads.messages.create(run.thread_id, role="user", content="And now?")


def test_cancel_while_streaming() -> None:
    """a run that is cancelled while it talks ends its stream as cancelled, with what it said so far"""
    runs = client.beta.threads.runs
    cancelling = None
    with runs.stream(**start(SLOWLY)) as stream:
        for event in stream:
            if event.event == "thread.message.delta" and cancelling is None:
                cancelling = runs.cancel(stream.current_run.id, thread_id=stream.current_run.thread_id)
        run, [message] = stream.get_final_run(), stream.get_final_messages()
    expect((cancelling.status, run.status), ("cancelling", "cancelled"))
    expect((message.status, message.incomplete_details.reason), ("incomplete", "run_cancelled"))
    assert text_of(message).startswith("word")
    expect(messages_of(run), [message])
    expect_free_thread(run)


def test_cancel_while_waiting() -> None:
    """a run that is cancelled while it waits for outputs frees its thread"""
    waiting = run_to_rest(ask_weather("Paris"))
    expect(client.beta.threads.runs.cancel(waiting.id, thread_id=waiting.thread_id).status, "cancelling")
    expect_free_thread(waiting)
    run = client.beta.threads.runs.poll(waiting.id, waiting.thread_id, poll_interval_ms=POLL_MS)
    expect((run.status, run.required_action), ("cancelled", None))


def test_expiry_while_talking() -> None:
    """a run that talks for too long expires"""
    run = run_to_rest(SLOWLY, extra_body=SOON)
    expect((run.status, run.expires_at), ("expired", run.created_at + 2))
    [message] = messages_of(run)
    expect(message.incomplete_details.reason, "run_expired")
    expect_free_thread(run)


def test_expiry_while_waiting() -> None:
    """a run that waits for outputs too long expires and frees its thread"""
    waiting = run_to_rest(ask_weather("Paris"), extra_body=SOON)
    expect(waiting.status, "requires_action")

    def has_expired() -> bool:
        return client.beta.threads.runs.retrieve(waiting.id, thread_id=waiting.thread_id).status == "expired"

    wait_until("the run has expired", has_expired)
    expect_free_thread(waiting)


def test_incomplete() -> None:
    """a run whose answer does not fit ends incomplete and says why"""
    run = run_to_rest({"text": "word " * 1000}, max_completion_tokens=256)
    expect((run.status, run.incomplete_details.reason), ("incomplete", "max_completion_tokens"))
    [message] = messages_of(run)
    expect((message.status, message.incomplete_details.reason), ("incomplete", "max_tokens"))


def test_failed() -> None:
    """a run that the model's endpoint refuses ends failed and says why"""
    error = {"message": "Your prompt was refused.", "type": "invalid_request_error", "code": "content_policy_violation"}
    run = run_to_rest({"error": {"status": 400, "body": {"error": error}}})
    expect(run.status, "failed")
    expect((run.last_error.code, run.last_error.message), ("invalid_prompt", "Your prompt was refused."))
    expect(messages_of(run), [])
    expect_free_thread(run)


def test_refusal() -> None:
    """a run whose model refuses completes with a refusal part"""
    run = run_to_rest({"refusal": "No."})
    [message] = messages_of(run)
    expect((run.status, message.content[0].type, message.content[0].refusal), ("completed", "refusal", "No."))
