"""Documents and payments taken out by a person, and brought back, each with a reason (S0-10, S2-13).

Where it was asked for from a page of one document, it leads back there.
"""

from typing import Annotated, Literal

from fastapi import Depends, Form
from fastapi.responses import Response

from console.web.inside.pages.customer.opening import (
    CustomerForm,
    OptionalDay,
    Reason,
    Word,
    asked_for,
    form_of,
    require_document,
    require_payment,
)
from console.web.inside.parts import InsideParts
from console.web.routing import Routes
from schemas.commands import AccountCommand, ExcludeItem, ExcludePayment, IncludeItem, IncludePayment

__all__ = ["router"]

_From = Annotated[Literal["", "document", "credit"], Form()]


def router(parts: InsideParts) -> Routes:
    """Make the routes."""
    routes = Routes(prefix="/customers/{account:path}")
    own = Annotated[CustomerForm, Depends(form_of(parts))]

    def back(form: CustomerForm, command: AccountCommand, came_from: str, name: str) -> Response:
        more = {came_from: name} if came_from else {}
        return asked_for(parts, form, command, back_to=f"/{came_from}" if came_from else "", **more)

    @routes.post("/exclusions", response_model=None)
    def exclude(
        *, form: own, item: Word, reason: Reason, review_on: OptionalDay = None, came_from: _From = ""
    ) -> Response:
        require_document(parts, form, item)
        command = ExcludeItem(**form.common, document=item, reason=reason, review_on=review_on)
        return back(form, command, came_from, item)

    @routes.post("/inclusions", response_model=None)
    def include(*, form: own, item: Word, reason: Reason, came_from: _From = "") -> Response:
        require_document(parts, form, item)
        return back(form, IncludeItem(**form.common, document=item, reason=reason), came_from, item)

    @routes.post("/payment-exclusions", response_model=None)
    def exclude_payment(
        *, form: own, payment: Word, reason: Reason, review_on: OptionalDay = None, came_from: _From = ""
    ) -> Response:
        require_payment(parts, form, payment)
        command = ExcludePayment(**form.common, payment=payment, reason=reason, review_on=review_on)
        return back(form, command, came_from, f"payment/{payment}")

    @routes.post("/payment-inclusions", response_model=None)
    def include_payment(*, form: own, payment: Word, reason: Reason, came_from: _From = "") -> Response:
        require_payment(parts, form, payment)
        command = IncludePayment(**form.common, payment=payment, reason=reason)
        return back(form, command, came_from, f"payment/{payment}")

    return routes
