"""What the process that all programs of `tests.programs` are forked from imports once; it opens nothing."""

import gc

gc.disable()

import flask.cli  # noqa: E402, F401
import gunicorn.workers.gthread  # noqa: E402, F401

import app.factory  # noqa: E402, F401

gc.freeze()
