"""The way of a request through the gateway: a chain of WSGI layers around the application."""

from collections.abc import Callable
from functools import reduce
from wsgiref.types import WSGIApplication

from webpy_gateway import body, concurrency, cors, deadline, errors, forwarded, health, jsonp, prefix, steps
from webpy_gateway.config import Config

Layer = Callable[[WSGIApplication], WSGIApplication]


def build(config: Config, release_id: str, worker: str, application: WSGIApplication) -> WSGIApplication:
    """The whole chain. Layers are listed from the outside in; each sees what those outside of it let through."""
    layers: tuple[Layer, ...] = (
        # around every answer, the gateway's own refusals included: a page can tell an overload from a wrong origin
        cors.layer(config.cors),
        jsonp.layer(config.jsonp),
        errors.layer,
        steps.layer(
            forwarded.step,
            health.step(config.url_prefix, release_id, worker),
            prefix.step(config.url_prefix, strip=config.strip_prefix),
        ),
        concurrency.layer(config.max_concurrency),
        body.layer(config.max_body_bytes, config.request_timeout),
        deadline.layer(config.request_timeout),
    )
    return reduce(lambda inner, layer: layer(inner), reversed(layers), application)
