"""A gevent gateway that serves one web.py application behind lighttpd."""
