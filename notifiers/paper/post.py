"""Letters by a print-and-post service: priced before they are handed over, and asked about after a crash.

::

    quote ──► too dear: refused (R19 tries the next channel)
      └─► submit, with the reminder as reference ──► taken
             │ no answer: nobody knows (UncertainError), then asked by reference
             └ refused for good, or for now

A service is one class with three verbs (`PostService`). It must not carry two letters of one reference:
that is what makes asking afterwards worth anything.
"""

from typing import Literal, Protocol

from msgspec import Struct

from notifiers.channel import Cost, Message, PermanentError, Receipt, Traits
from notifiers.paper.manifest import merged
from notifiers.paper.sheets import Extent, extent_of, extent_of_letter
from notifiers.second_look import Look, Outgoing, anybody

__all__ = ["PostChannel", "PostOptions", "PostService", "PostStatus", "PostalLetter", "Posted"]

PostStatus = Literal["received", "printed", "posted", "delivered", "returned", "refused"]


class PostOptions(Struct, frozen=True, kw_only=True):
    """How letters are printed and carried; ``speed`` is the service's own word, "" its usual one."""

    duplex: bool = False
    colour: bool = False
    speed: str = ""


class PostalLetter(Struct, frozen=True, kw_only=True):
    """A letter for a service. ``lines`` are the address as it stands in the window, the name first.

    ``country`` is ISO 3166-1 alpha-2, "" where it is not known: the last line may say it.
    """

    reference: str
    lines: tuple[str, ...]
    country: str
    pdf: bytes
    pages: int
    sheets: int
    paper: str
    options: PostOptions


class Posted(Struct, frozen=True, kw_only=True):
    """What a service says of a letter that it has taken."""

    provider_id: str
    status: PostStatus
    cost: Cost | None = None


class PostService(Protocol):
    """A print-and-post service."""

    @property
    def endpoint(self) -> str:
        """Where it is reached, for the evidence."""
        ...

    @property
    def answers_within_s(self) -> float:
        """How long a letter that was handed over may take until the service knows it."""
        ...

    def quote(self, letter: PostalLetter) -> Cost:
        """Give the price of a letter, which is not handed over.

        Raises:
            PermanentError: it does not carry such a letter.
            TemporaryError: it does not answer.
        """
        ...

    def submit(self, letter: PostalLetter) -> Posted:
        """Hand a letter over; a second one with the same reference is the same letter.

        Raises:
            PermanentError: refused for good.
            TemporaryError: certainly not taken.
            UncertainError: nobody knows.
        """
        ...

    def status(self, reference: str) -> Posted | None:
        """Say what has become of a letter, None when it was not taken.

        Raises:
            TemporaryError: it does not answer.
        """
        ...


class PostChannel:
    """Sends letters through one service. Not thread-safe.

    Args:
        service: who prints and posts.
        options: for all letters.
        price_max: a dearer letter is not sent; None: at any price.
        look: refuses what must not leave.
    """

    def __init__(
        self,
        service: PostService,
        *,
        options: PostOptions,
        price_max: Cost | None = None,
        look: Look = anybody,
    ) -> None:
        self._service = service
        self._look = look
        self._options = options
        self._price_max = price_max
        self._quotes: dict[tuple[str, int, str], Cost] = {}
        self._is_troubled = False

    @property
    def traits(self) -> Traits:
        """A service may take as long to know a letter as it may take to answer."""
        return Traits(
            provider="post", endpoint=self._service.endpoint, settles_s=self._service.answers_within_s
        )

    def send(self, message: Message) -> Receipt:
        """Have one letter printed and posted.

        Raises:
            PermanentError, TemporaryError, UncertainError: as `PostService`; also ``provider_refused`` when
                it is too dear.
        """
        letter = self._letter(message)
        self._look(Outgoing(channel="letter", reminder=letter.reference, lines=letter.lines, pdf=letter.pdf))
        # After trouble the service is asked first. So an outage leaves one letter in doubt, not one after
        # the other, and a letter whose answer was lost is found instead of handed over again.
        found = self.find(message) if self._is_troubled else None
        if found is not None:
            return found
        self._is_troubled = True
        cost = self._affordable(letter)
        posted = self._service.submit(letter)
        self._is_troubled = False
        return Receipt(provider_id=posted.provider_id, cost=posted.cost or cost)

    def find(self, message: Message) -> Receipt | None:
        """Ask whether the letter was taken."""
        posted = self._service.status(message.reminder)
        return None if posted is None else Receipt(provider_id=posted.provider_id, cost=posted.cost)

    def quote(self, message: Message) -> Cost | None:
        """Ask what a letter will cost."""
        return self._quote(self._letter(message))

    def _affordable(self, letter: PostalLetter) -> Cost:
        cost = self._quote(letter)
        limit = self._price_max
        if limit is not None and (cost.currency != limit.currency or cost.micros > limit.micros):
            raise PermanentError(
                error_type="provider_refused",
                detail=f"{letter.sheets} sheets cost {_said(cost)}, at most {_said(limit)} is allowed",
            )
        return cost

    def _quote(self, letter: PostalLetter) -> Cost:
        """Ask once for each kind of letter: prices do not change while a worker runs, and the receipt has the true one."""
        kind = (letter.country, letter.pages, letter.paper)
        if kind not in self._quotes:
            self._quotes[kind] = self._service.quote(letter)
        return self._quotes[kind]

    def _letter(self, message: Message) -> PostalLetter:
        lines = tuple(line.strip() for line in message.contact.address if line.strip())
        if not lines:
            raise PermanentError(
                error_type="address_missing", detail=f"customer {message.customer} has no postal address"
            )
        extent, pdf = extent_of_letter(message), message.pdf
        if message.attachments:
            # A service takes one file; that it is then no PDF/A matters to nobody who prints it.
            pdf = merged([pdf, *(each.content for each in message.attachments)], duplex=self._options.duplex)
            extent = Extent(pages=extent_of(pdf).pages, paper=extent.paper)
        return PostalLetter(
            reference=message.reminder,
            lines=tuple(line.strip() for line in message.address_lines if line.strip()) or lines,
            country=message.country,
            pdf=pdf,
            pages=extent.pages,
            sheets=extent.sheets(duplex=self._options.duplex),
            paper=extent.paper,
            options=self._options,
        )


def _said(cost: Cost) -> str:
    return f"{cost.currency} {cost.micros / 1_000_000:.4f}"
