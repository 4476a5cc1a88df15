"""What a WSGI server or `flask` loads: `run:app`. `flask serve` is the usual way to start it."""

from app import create_app

app = create_app()
