"""Assistants, threads and messages: made, read, changed, listed and deleted."""

from openai import AsyncOpenAI, NotFoundError

from .scenario import MODEL, SETTINGS, WEATHER, client, expect, run_to_rest, text_of

IMAGE = "https://example.com/cat.png"
# More than a page holds.
TEXTS = [f"message {number}" for number in range(25)]


def create_long_thread() -> str:
    return client.beta.threads.create(messages=[{"role": "user", "content": text} for text in TEXTS]).id


def expect_gone(retrieve, *ids: str, **parents: str) -> None:
    try:
        retrieve(*ids, **parents)
    except NotFoundError:
        return
    raise AssertionError(f"{ids} is still there")


def test_assistants() -> None:
    """an assistant is made, read, changed, listed and deleted"""
    assistants = client.beta.assistants
    made = assistants.create(
        model=MODEL,
        name="Tutor",
        description="Explains sums.",
        instructions="Be short.",
        tools=[WEATHER, {"type": "code_interpreter"}],
        metadata={"team": "maths"},
        temperature=0.5,
        top_p=0.9,
        response_format="auto",
    )
    expect((made.name, made.description, made.instructions), ("Tutor", "Explains sums.", "Be short."))
    expect([tool.type for tool in made.tools], ["function", "code_interpreter"])
    expect((made.temperature, made.top_p, made.metadata), (0.5, 0.9, {"team": "maths"}))
    expect(assistants.retrieve(made.id), made)

    changed = assistants.update(made.id, name="Coach", tools=[], metadata={"team": "sports"})
    expect((changed.name, changed.instructions, changed.tools), ("Coach", "Be short.", []))
    expect(changed.metadata, {"team": "sports"})
    assert changed in list(assistants.list(limit=100))

    expect(assistants.delete(made.id).deleted, True)
    expect_gone(assistants.retrieve, made.id)


def test_threads() -> None:
    """a thread is made, read, changed and deleted"""
    threads = client.beta.threads
    made = threads.create(metadata={"user": "anna"})
    expect(threads.retrieve(made.id).metadata, {"user": "anna"})
    expect(threads.update(made.id, metadata={"user": "ben"}).metadata, {"user": "ben"})
    expect(threads.retrieve(made.id).metadata, {"user": "ben"})
    expect(threads.delete(made.id).deleted, True)
    expect_gone(threads.retrieve, made.id)


def test_run_metadata() -> None:
    """the metadata of a run can be changed when it is over, and it is listed"""
    runs = client.beta.threads.runs
    run = run_to_rest({"text": "Four."}, metadata={"ticket": "1"})
    changed = runs.update(run.id, thread_id=run.thread_id, metadata={"ticket": "2"})
    expect((run.metadata, changed.metadata), ({"ticket": "1"}, {"ticket": "2"}))
    expect(list(runs.list(run.thread_id)), [changed])


def test_messages() -> None:
    """a message with an image is made, read, changed and deleted"""
    messages = client.beta.threads.messages
    thread_id = client.beta.threads.create().id
    content = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": IMAGE, "detail": "low"}},
    ]
    made = messages.create(thread_id, role="user", content=content)
    text, image = made.content
    expect((text.text.value, text.text.annotations), ("What is this?", []))
    expect((image.image_url.url, image.image_url.detail), (IMAGE, "low"))
    expect(messages.retrieve(made.id, thread_id=thread_id), made)

    changed = messages.update(made.id, thread_id=thread_id, metadata={"seen": "yes"})
    expect((changed.metadata, changed.content), ({"seen": "yes"}, made.content))

    expect(messages.delete(message_id=made.id, thread_id=thread_id).deleted, True)
    expect_gone(messages.retrieve, made.id, thread_id=thread_id)
    expect(list(messages.list(thread_id)), [])


def test_paging() -> None:
    """iterating over messages goes on to the next page, in both orders"""
    messages = client.beta.threads.messages
    thread_id = create_long_thread()
    expect([text_of(message) for message in messages.list(thread_id, order="asc")], TEXTS)
    expect([text_of(message) for message in messages.list(thread_id)], TEXTS[::-1])
    expect([text_of(message) for message in messages.list(thread_id, order="desc", limit=10)], TEXTS[::-1])


async def test_paging_async() -> None:
    """iterating over messages with the async client goes on to the next page, in both orders"""
    thread_id = create_long_thread()
    async with AsyncOpenAI(**SETTINGS) as openai:
        messages = openai.beta.threads.messages
        expect([text_of(message) async for message in messages.list(thread_id, order="asc")], TEXTS)
        expect([text_of(message) async for message in messages.list(thread_id, limit=5)], TEXTS[::-1])


def test_pages() -> None:
    """pages can be turned by hand, and before leads back"""
    messages = client.beta.threads.messages
    thread_id = create_long_thread()
    first = messages.list(thread_id, order="asc", limit=20)
    expect((len(first.data), first.has_more, first.first_id), (20, True, first.data[0].id))
    second = first.get_next_page()
    expect(([text_of(message) for message in second.data], second.has_more), (TEXTS[20:], False))
    assert not second.has_next_page()
    back = messages.list(thread_id, order="asc", limit=20, before=second.data[0].id)
    expect(back.data, first.data)


def test_models() -> None:
    """the models that the server offers are listed and can be read"""
    [model, *_] = client.models.list()
    expect(client.models.retrieve(model.id), model)
