"""Client of an OpenAI-compatible server: its address, its key, and what its refusals mean.

Whisper, speech and chat servers are asked in the same way:
https://platform.openai.com/docs/api-reference/introduction
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any, Final

from aiohttp import FormData

from wyoming_common.errors import BadRequest, ConfigError, ServiceError, Unavailable
from wyoming_common.http.client import HttpClient, HttpResponse

MAX_QUOTED_CHARACTERS: Final = 200
"""Of a server's answer, in an error of ours."""
_MAX_JSON_BYTES: Final = 4 * 1024 * 1024
_CLIENT_MISTAKES: Final = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.METHOD_NOT_ALLOWED,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
)


class OpenAiClient:
    """Asks one server. Any thread may use it, several at one time too."""

    def __init__(self, base_url: str, api_key: str | None, silence_seconds: float) -> None:
        """Raises ConfigError for a `base_url` that is not http://HOST:PORT/v1."""
        if not base_url.startswith(("http://", "https://")):
            raise ConfigError(f"base_url: expected http://HOST:PORT/v1, got '{base_url}'")
        self.base_url = base_url.rstrip("/")
        headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._http = HttpClient(headers, silence_seconds)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    @contextmanager
    def post(self, path: str, **options: Any) -> Iterator[HttpResponse]:
        """POST to `path` below the base URL; `json` or `data` is the request, as aiohttp has it.

        Raises BadRequest, with the server's words, where it blames the request, Unavailable for any
        other refusal or failure, and TimedOut when it is silent for too long.
        """
        with self._http.request("POST", f"{self.base_url}/{path}", **options) as response:
            _check(response)
            yield response

    def get_json(self, path: str) -> Any:
        """GET `path` below the base URL and return its JSON. Raises as `post` does."""
        with self._http.request("GET", f"{self.base_url}/{path}") as response:
            _check(response)
            return json_of(response)


def form(fields: Mapping[str, str], file: str, content: bytes, media_type: str) -> FormData:
    """Return a multipart form of text `fields` and one file, which is called `file`, for `data`."""
    data = FormData(fields)
    data.add_field("file", content, filename=file, content_type=media_type)
    return data


def json_of(response: HttpResponse) -> Any:
    """Return the JSON body of an answer. Raises Unavailable for one that is not JSON."""
    body = response.text(_MAX_JSON_BYTES)
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as err:
        raise Unavailable(f"{response.url}: expected JSON, got '{quoted(body)}'") from err


def quoted(text: str) -> str:
    """Return the beginning of what a server said, in one line."""
    return " ".join(text[: 2 * MAX_QUOTED_CHARACTERS].split())[:MAX_QUOTED_CHARACTERS]


def _check(response: HttpResponse) -> None:
    if response.status < HTTPStatus.BAD_REQUEST:
        return
    words = quoted(response.text(4 * MAX_QUOTED_CHARACTERS)) or response.reason
    kind: type[ServiceError] = BadRequest if response.status in _CLIENT_MISTAKES else Unavailable
    raise kind(f"{response.url} answered {response.status}: {words}")
