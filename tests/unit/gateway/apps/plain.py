"""A bare WSGI application."""


def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [environ["SCRIPT_NAME"].encode(), b"|", environ["PATH_INFO"].encode("latin-1")]
