"""Errors: which of them mean that memory is short on this machine."""

import pytest

from wyoming_common.errors import ModelError, NoMemory, Unavailable, lacks_memory


def caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("std::bad_alloc"),
        RuntimeError("CUDA out of memory"),
        NoMemory("There is too little memory for this request"),
        caused(ModelError("model.onnx cannot be loaded"), RuntimeError("std::bad_alloc")),
        caused(ValueError("no"), MemoryError()),
    ],
)
def test_a_failed_allocation_is_recognised_behind_other_errors(error: Exception) -> None:
    assert lacks_memory(error)


@pytest.mark.parametrize(
    "error",
    [
        None,
        RuntimeError("the file is cut short"),
        Unavailable("http://gpu:8000/v1/audio/speech answered 500: CUDA out of memory"),
        caused(Unavailable("http://gpu:8000 answered 500: bad_alloc"), ConnectionError("closed")),
    ],
)
def test_the_memory_of_another_server_is_not_that_of_this_machine(
    error: Exception | None,
) -> None:
    assert not lacks_memory(error)
