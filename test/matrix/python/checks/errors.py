"""Check 9: requests that are refused, each with its class, status, type, code and param."""

from openai import AuthenticationError, BadRequestError, NotFoundError, OpenAI
from openai._types import Omit

from capabilities import API
from refusal import NO_ID, refused
from scenario import MODEL, SETTINGS, client, create_assistant, runs

threads = client.beta.threads
WHERE_KEYS_ARE = "You can find your API key at https://platform.openai.com/account/api-keys."
NO_KEY = (
    "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth "
    "(i.e. Authorization: Bearer YOUR_KEY), or as the password field (with blank username) if you're accessing the "
    "API from your browser and are prompted for a username and password. You can obtain an API key from "
    "https://platform.openai.com/account/api-keys."
)
NO_HEADER = (
    "You must provide the 'OpenAI-Beta' header to access the Assistants API. "
    "Please try again by setting the header 'OpenAI-Beta: assistants=v2'."
)


def test_missing_key() -> None:
    """a request without a key is an AuthenticationError"""
    with refused(AuthenticationError, NO_KEY):
        threads.create(extra_headers={"Authorization": Omit()})


def test_wrong_key() -> None:
    """a wrong key is an AuthenticationError that does not repeat it"""
    stranger = OpenAI(**SETTINGS, api_key="sk-nobody-knows-this")
    message = f"Incorrect API key provided: sk-no***is. {WHERE_KEYS_ARE}"
    with refused(AuthenticationError, message, code="invalid_api_key"):
        stranger.beta.threads.create()


def test_missing_header() -> None:
    """a request without the header of the API's version is a BadRequestError"""
    with refused(BadRequestError, NO_HEADER, code="invalid_beta"):
        threads.create(extra_headers={"OpenAI-Beta": Omit()})


def test_unknown_ids() -> None:
    """an id that does not exist is a NotFoundError that names it"""
    thread_id = threads.create().id
    with refused(NotFoundError, f"No assistant found with id 'asst_{NO_ID}'."):
        client.beta.assistants.retrieve(f"asst_{NO_ID}")
    with refused(NotFoundError, f"No thread found with id 'thread_{NO_ID}'."):
        threads.retrieve(f"thread_{NO_ID}")
    with refused(NotFoundError, f"No message found with id 'msg_{NO_ID}'."):
        threads.messages.retrieve(f"msg_{NO_ID}", thread_id=thread_id)
    with refused(NotFoundError, f"No run found with id 'run_{NO_ID}'."):
        runs.retrieve(f"run_{NO_ID}", thread_id=thread_id)
    with refused(NotFoundError, f"No assistant found with id 'asst_{NO_ID}'."):
        runs.create(thread_id, assistant_id=f"asst_{NO_ID}")
    with refused(NotFoundError, "The model 'no-such-model' does not exist", param="model", code="model_not_found"):
        client.models.retrieve("no-such-model")


def test_unknown_parameters() -> None:
    """a parameter that the endpoint does not know is a BadRequestError that names it"""
    with refused(BadRequestError, "Unknown parameter: 'colour'.", param="colour", code="unknown_parameter"):
        threads.create(extra_body={"colour": "blue"})
    with refused(BadRequestError, "Unknown parameter: 'colour'.", param="colour", code="unknown_parameter"):
        runs.create(threads.create().id, assistant_id=create_assistant(), extra_body={"colour": "blue"})


def test_words_of_the_other_version() -> None:
    """the file tool of the other version is a BadRequestError that says which tools there are"""
    given, known = {
        "v1": ("file_search", "'code_interpreter', 'function', and 'retrieval'"),
        "v2": ("retrieval", "'code_interpreter', 'function', and 'file_search'"),
    }[API]
    message = f"Invalid value: '{given}'. Supported values are: {known}."
    with refused(BadRequestError, message, param="tools[0].type", code="invalid_value"):
        client.beta.assistants.create(model=MODEL, tools=[{"type": given}])
