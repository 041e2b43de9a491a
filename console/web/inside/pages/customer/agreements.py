"""What is agreed with a customer, or decided about him: holds, promises, disputes, payment plans (R15, R25, R29, R35)."""

import datetime
from typing import Annotated, Literal

from fastapi import Depends, Form
from fastapi.responses import Response

from console.web.inside.asking import refused_by_intake
from console.web.inside.pages.customer.opening import (
    CustomerForm,
    OptionalDay,
    OptionalText,
    Reason,
    Word,
    amount_typed,
    asked_for,
    form_of,
    require_arrangement,
    require_document,
)
from console.web.inside.parts import InsideParts
from console.web.routing import Routes
from infra.database.engine import reading
from infra.database.queries.customer_standing import currency_of_document
from schemas.commands import (
    CancelPaymentPlan,
    HoldKind,
    MakePaymentPlan,
    MakePromise,
    OpenDispute,
    PlaceHold,
    ReleaseHold,
    RuleDispute,
    WithdrawPromise,
)

__all__ = ["router"]

_Remark = Annotated[str, Form(max_length=2_000)]
_Name = Annotated[str, Form(max_length=200)]


def router(parts: InsideParts) -> Routes:
    """Make the routes."""
    routes = Routes(prefix="/customers/{account:path}")
    _add_holds(routes, parts)
    _add_promises(routes, parts)
    _add_disputes(routes, parts)
    _add_payment_plans(routes, parts)
    return routes


def _add_holds(routes: Routes, parts: InsideParts) -> None:
    own = Annotated[CustomerForm, Depends(form_of(parts))]

    @routes.post("/holds", response_model=None)
    def place(
        *,
        form: own,
        kind: Annotated[HoldKind, Form()],
        reason: Reason,
        until: OptionalDay = None,
        review_on: OptionalDay = None,
    ) -> Response:
        hold = PlaceHold(**form.common, kind=kind, reason=reason, until=until, review_on=review_on)
        return asked_for(parts, form, hold)

    @routes.post("/holds/release", response_model=None)
    def release(*, form: own, kind: Annotated[HoldKind, Form()]) -> Response:
        return asked_for(parts, form, ReleaseHold(**form.common, kind=kind))


def _add_promises(routes: Routes, parts: InsideParts) -> None:
    own = Annotated[CustomerForm, Depends(form_of(parts))]

    @routes.post("/promises", response_model=None)
    def promise(
        *,
        form: own,
        due_on: Annotated[datetime.date, Form()],
        amount: OptionalText = None,
        currency: OptionalText = None,
        documents: Annotated[list[str] | None, Form()] = None,
        by: _Name = "",
        how: _Name = "",
    ) -> Response:
        command = MakePromise(
            **form.common,
            due_on=due_on,
            amount=amount_typed(form, amount, currency=currency),
            currency=currency if amount else None,
            documents=tuple(documents or ()),
            by=by,
            how=how,
        )
        return asked_for(parts, form, command)

    @routes.post("/promises/withdraw", response_model=None)
    def withdraw(*, form: own, promise: Word) -> Response:
        require_arrangement(parts, form, "promise", promise)
        return asked_for(parts, form, WithdrawPromise(**form.common, promise=promise))


def _add_disputes(routes: Routes, parts: InsideParts) -> None:
    own = Annotated[CustomerForm, Depends(form_of(parts))]

    @routes.post("/disputes", response_model=None)
    def dispute(
        *,
        form: own,
        item: Word,
        reason: Reason,
        amount: OptionalText = None,
        review_on: OptionalDay = None,
    ) -> Response:
        with reading(parts.engine) as connection:
            currency = currency_of_document(connection, account=form.account, document=item)
        disputed = amount_typed(form, amount, currency=currency)
        command = OpenDispute(
            **form.common, document=item, reason=reason, amount=disputed, review_on=review_on
        )
        if not refused_by_intake(command):  # what is wrong with the form itself is told first
            require_document(parts, form, item)
        return asked_for(parts, form, command)

    @routes.post("/disputes/rule", response_model=None)
    def rule(
        *,
        form: own,
        dispute: Word,
        ruling: Annotated[Literal["rejected", "credited"], Form()],
        amount: OptionalText = None,
        text: _Remark = "",
    ) -> Response:
        currency = require_arrangement(parts, form, "dispute", dispute)
        credited = amount_typed(form, amount, currency=currency or None)
        command = RuleDispute(**form.common, dispute=dispute, ruling=ruling, amount=credited, text=text)
        return asked_for(parts, form, command)


def _add_payment_plans(routes: Routes, parts: InsideParts) -> None:
    own = Annotated[CustomerForm, Depends(form_of(parts))]

    @routes.post("/payment-plans", response_model=None)
    def plan(
        *,
        form: own,
        item: Word,
        first_on: Annotated[datetime.date, Form()],
        count: Annotated[int, Form(ge=2, le=60)],
        every: Annotated[Literal["week", "two_weeks", "month"], Form()] = "month",
        reason: _Remark = "",
    ) -> Response:
        require_document(parts, form, item)
        command = MakePaymentPlan(
            **form.common, document=item, first_on=first_on, count=count, every=every, reason=reason
        )
        return asked_for(parts, form, command)

    @routes.post("/payment-plans/cancel", response_model=None)
    def cancel(*, form: own, payment_plan: Word, reason: _Remark = "") -> Response:
        require_arrangement(parts, form, "payment_plan", payment_plan)
        command = CancelPaymentPlan(**form.common, payment_plan=payment_plan, reason=reason)
        return asked_for(parts, form, command)
