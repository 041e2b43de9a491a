"""The small HTTP server of a process: ``/metrics``, ``/healthz``, ``/readyz``, and nothing else.

It runs in threads of its own and is never the reason that a process does not start: a
port that is taken is told, and tried again until it is free.
"""

import errno
import http.server
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import TracebackType
from typing import Final, Self

import structlog
from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from infra.metrics.pulse import Probe, RestingProbe
from infra.metrics.register import Registered, Sample, sample
from infra.metrics.settings import MetricsSettings

__all__ = ["MetricsServer"]

_BIND_AGAIN_S: Final = 2.0
_SILENCE_S_MAX: Final = 10.0
_PLAIN: Final = "text/plain; charset=utf-8"
_log = structlog.get_logger(__name__)


class MetricsServer:
    """Answers while the context is open.

    Args:
        settings: where it listens.
        probe: what ``/healthz`` and ``/readyz`` say (200 and "ok", with what rests and until when; or 503 and the reasons).
        samples: the process's values, read at each scrape.
    """

    def __init__(
        self,
        settings: MetricsSettings,
        *,
        probe: Probe,
        samples: Callable[[], Iterable[Sample]] = lambda: (),
    ) -> None:
        self._settings, self._probe, self._samples = settings, probe, samples
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        self._registry.register(Registered(self._all_samples))
        self._server: http.server.ThreadingHTTPServer | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="metrics", daemon=True)

    def __enter__(self) -> Self:
        self._bind()
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._server is not None:
            self._server.shutdown()
        self._stop.set()
        self._thread.join()

    @property
    def port(self) -> int:
        """Where it listens; 0 while the port it should have is another's."""
        return 0 if self._server is None else int(self._server.server_address[1])

    def _bind(self) -> None:
        wanted = (self._settings.host, self._settings.port)
        handler = _handler(self._registry, self._probe)
        try:
            self._server = http.server.ThreadingHTTPServer(wanted, handler)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            _log.error("metrics_port_taken", host=wanted[0], port=wanted[1])
            return
        self._server.daemon_threads = True
        _log.info("metrics_listening", host=wanted[0], port=self.port)

    def _serve(self) -> None:
        while self._server is None:
            if self._stop.wait(_BIND_AGAIN_S):
                return
            self._bind()
        with self._server:
            if not self._stop.is_set():  # it may have been set while the port was taken
                self._server.serve_forever(poll_interval=0.1)

    def _all_samples(self) -> Iterator[Sample]:
        yield sample("cobranza_healthy", not self._probe.stalled())
        yield sample("cobranza_ready", not self._probe.unready())
        yield from self._samples()


def _handler(registry: CollectorRegistry, probe: Probe) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        """Answers one request; a client that says nothing is left."""

        timeout = _SILENCE_S_MAX

        def do_GET(self) -> None:
            match self.path.partition("?")[0]:
                case "/metrics":
                    self._answer(200, generate_latest(registry), CONTENT_TYPE_PLAIN_0_0_4)
                case "/healthz":
                    self._say(probe.stalled())
                case "/readyz":
                    self._say(
                        probe.unready(), well=probe.resting() if isinstance(probe, RestingProbe) else ()
                    )
                case _:
                    self._answer(404, b"/metrics /healthz /readyz\n", _PLAIN)

        def _say(self, troubles: list[str], *, well: Sequence[str] = ()) -> None:
            text = "\n".join(troubles or ["ok", *well]) + "\n"
            self._answer(503 if troubles else 200, text.encode(), _PLAIN)

        def _answer(self, status: int, body: bytes, content_type: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
            _log.debug("metrics_request", line=format % args)

    return Handler
