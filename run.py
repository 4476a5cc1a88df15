"""What gunicorn, `flask` and `huey_consumer` load: `run:app`, `run.huey`."""

from app import create_app
from app.tasks.runtime import clock_of

app = create_app()
huey = clock_of(app).huey
