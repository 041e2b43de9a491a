"""Routes that are understood when they are first asked for.

FastAPI reads a route's signature, and makes a validator of each of its fields, when the route is made; and all of it
once more for each router that is included. For all pages of the console that is most of the time that it takes to start.
"""

import threading
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.params import Form
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.routing import compile_path

from console.web.plain import require_plain

__all__ = ["Door", "Routes"]

_UNDERSTANDING: Final = threading.RLock()


class Door:
    """A dependency that looks at nothing but who is asking: before a form is read, it is asked once more, or first."""

    def __call__(self, request: Request) -> object:
        """Let in who is asking, or raise what says why not."""
        raise NotImplementedError


class Routes(APIRouter):
    """A router whose routes are `LateRoute`s; another one's routes become its own."""

    def __init__(self, *, prefix: str = "", reads_bodies: bool = False) -> None:
        """Make it without routes; one that ``reads_bodies`` takes what was sent as it came: signed, or as a stream."""
        super().__init__(prefix=prefix, route_class=RawRoute if reads_bodies else LateRoute)

    def take(self, other: APIRouter) -> None:
        """Have the routes of another router behind those that are here."""
        self.routes.extend(other.routes)


class LateRoute(APIRoute):
    """A route that knows its address from the beginning, and all else from when somebody asks for it.

    A signature that FastAPI refuses shows then, too: a test asks for each route.
    """

    reads_body = False

    def __init__(self, path: str, endpoint: Any, **told: Any) -> None:
        # What matching looks at; the same is said again when the rest is.
        self.path, self.endpoint = path, endpoint
        self.methods = {each.upper() for each in told.get("methods") or ("GET",)}
        self.path_regex, self.path_format, self.param_convertors = compile_path(path)
        self._told = told

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Give what answers: the route, once who asks may send something there and what was sent is plain text."""
        answer = super().get_route_handler()
        body = self.body_field
        brings_form = not self.reads_body and (body is None or isinstance(body.field_info, Form))
        # FastAPI reads the body before it asks any dependency: a stranger's files would be taken in only to be refused.
        doors = [each for each in _called(self.dependant) if isinstance(each, Door)] if brings_form else ()

        async def answer_plain(request: Request) -> Response:
            if request.method == "POST":
                for door in doors:
                    await run_in_threadpool(door, request)
            await require_plain(request, brings_form=brings_form)
            return await answer(request)

        return answer_plain

    def __getattr__(self, name: str) -> Any:
        """Give what is not there yet; Python asks here only then."""
        with _UNDERSTANDING:
            told = self.__dict__.pop("_told", None)
            if told is not None:
                super().__init__(self.path, self.endpoint, **told)
        try:
            return self.__dict__[name]
        except KeyError:
            raise AttributeError(f"a route has no {name}") from None


class RawRoute(LateRoute):
    """A route that reads what was sent by itself, and looks at it."""

    reads_body = True


def _called(dependant: Dependant) -> Iterator[object]:
    """Walk what a route depends on."""
    for each in dependant.dependencies:
        yield each.call
        yield from _called(each)
