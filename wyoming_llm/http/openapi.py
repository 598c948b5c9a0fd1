"""OpenAPI 3.1 document of the HTTP server, made from the models that validate its requests.

https://spec.openapis.org/oas/v3.1.0
"""

from importlib.metadata import version
from typing import Any, Final

from wyoming_llm.http.requests import body_schema

_REF: Final = "#/components/schemas/{model}"
_TEXT: Final = {"type": "string"}


def document() -> dict[str, Any]:
    """Return the OpenAPI document."""
    body = body_schema(_REF)
    schemas = body.pop("$defs", {}) | {"ChatRequest": body, "Error": _error(), "Model": _model()}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Parley conversation", "version": version("parley-voice")},
        "servers": [{"url": "/v1"}],
        "paths": {
            "/health": {"get": _operation("Whether the model stands ready", _health(), 503)},
            "/models": {"get": _operation("The model", _list("Model"), 401)},
            "/models/{name}": {
                "parameters": [{"name": "name", "in": "path", "required": True, "schema": _TEXT}],
                "get": _operation("One model", _ref("Model"), 401, 404),
            },
            "/chat/completions": {"post": _chat()},
        },
        "components": {
            "schemas": schemas,
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{}, {"key": []}],
    }


def _operation(summary: str, answer: dict[str, Any], *failures: int) -> dict[str, Any]:
    return {
        "summary": summary,
        "responses": {"200": _json("Done", answer)}
        | {str(status): _json("Failed", _ref("Error")) for status in failures if status != 503}
        | ({"503": _json("Not ready", answer)} if 503 in failures else {}),
    }


def _chat() -> dict[str, Any]:
    failures = (400, 401, 408, 413, 500, 502, 503)
    done = _json("Done", {"type": "object"})
    done["content"]["text/event-stream"] = {"schema": _TEXT}
    return {
        "summary": "A reply; as server-sent events where `stream` is true",
        "requestBody": {"required": True, "content": {"application/json": {
            "schema": _ref("ChatRequest")}}},
        "responses": {"200": done}
        | {str(status): _json("Failed", _ref("Error")) for status in failures},
    }  # fmt: skip


def _json(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": _REF.format(model=name)}


def _list(name: str) -> dict[str, Any]:
    return _object(object={"const": "list"}, data={"type": "array", "items": _ref(name)})


def _health() -> dict[str, Any]:
    return _object(status={"enum": ["ok", "loading model"]})


def _model() -> dict[str, Any]:
    number = {"type": "integer"}
    return _object(id=_TEXT, object={"const": "model"}, created=number, owned_by=_TEXT)


def _error() -> dict[str, Any]:
    told = _object(message=_TEXT, type=_TEXT, code=_TEXT, param={"type": "null"})
    return _object(error=told)


def _object(**properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}
