"""Answers one path, in three lines."""

import web

answer = type("Answer", (), {"GET": lambda self: "THE ANSWER"})
application = web.application(("/webpy_api/answer", answer), autoreload=False)
