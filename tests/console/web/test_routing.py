"""A console starts at once: what a page takes is read when the page is first asked for."""

from typing import Annotated

from fastapi import FastAPI, Form
from fastapi.responses import Response
from fastapi.testclient import TestClient

from console.web.routing import Routes


def _routes() -> Routes:
    routes, more = Routes(prefix="/customers/{account:path}"), Routes()

    @routes.get("/page", response_model=None)
    def page(account: str, skip: int = 0) -> Response:
        return Response(f"{account} {skip}")

    @more.post("/form", response_model=None)
    def form(text: Annotated[str, Form(max_length=3)]) -> Response:
        return Response(text)

    routes.take(more)
    return routes


def _browser(routes: Routes) -> TestClient:
    app = FastAPI()
    app.router.routes.extend(routes.routes)
    return TestClient(app)


def test_a_route_is_read_when_it_is_asked_for() -> None:
    """Not before: all of them together are most of a console's start."""
    routes = _routes()
    page, form = routes.routes
    assert "11 7" == _browser(routes).get("/customers/11/page?skip=7").text
    assert (True, False) == ("dependant" in vars(page), "dependant" in vars(form))


def test_routes_that_are_read_late_refuse_as_others_do() -> None:
    """Fields that are wrong, another method, an address that nobody has."""
    browser = _browser(_routes())
    answers = [
        browser.get("/customers/11/page?skip=x"),
        browser.post("/form", data={"text": "long"}),
        browser.get("/form"),
        browser.head("/customers/11/page"),
        browser.get("/forms"),
    ]
    assert [422, 422, 405, 405, 404] == [each.status_code for each in answers]
    assert "abc" == browser.post("/form", data={"text": "abc"}).text
