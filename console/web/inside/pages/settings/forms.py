"""What every form about a company brings: read as it comes, since its fields follow from what it is about."""

from collections.abc import Awaitable, Callable

from fastapi import Depends, HTTPException, Request
from starlette.datastructures import FormData

from console.web.inside.access import Person, needs, require_own_form
from console.web.inside.company_asking import CompanyForm
from infra.database.people import Role

__all__ = ["Given", "company_form"]

_WORD_MAX = 128


class Given:
    """A form of ours about a company that the person sees, with what it brought."""

    __slots__ = ("about", "fields")

    def __init__(self, about: CompanyForm, fields: FormData) -> None:
        self.about = about
        self.fields = fields

    def text(self, name: str) -> str:
        """Give a field; '' where the form did not bring it."""
        found = self.fields.get(name, "")
        return found if isinstance(found, str) else ""

    def file(self, name: str, *, bytes_max: int) -> tuple[str, bytes]:
        """Give a file's name and content, one byte more than that at most; '' and nothing where none came."""
        found = self.fields.get(name, "")
        if isinstance(found, str) or not found.filename:
            return "", b""
        return found.filename, found.file.read(bytes_max + 1)

    def texts(self) -> dict[str, str]:
        """Give all fields that are text."""
        return {name: value for name, value in self.fields.items() if isinstance(value, str)}


def company_form(role: Role) -> Callable[..., Awaitable[Given]]:
    """Make a dependency that takes forms of people who have at least this role.

    Its dependency raises Refusal: the form is not one of ours; HTTPException: 404: the company is not for this
    person to know.
    """

    async def take(company: str, request: Request, person: Person = Depends(needs(role))) -> Given:  # noqa: B008 - FastAPI's way
        fields = await request.form()
        word = fields.get("csrf", "")
        require_own_form(request, person, csrf=word if isinstance(word, str) else "")
        if not person.sees(company):
            raise HTTPException(404)
        nonce = fields.get("nonce", "")
        about = CompanyForm(person, company, nonce[:_WORD_MAX] if isinstance(nonce, str) else "")
        return Given(about, fields)

    return take
