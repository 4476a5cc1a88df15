"""Demo data: deterministic, invented, in every state; the profile `demo` loads it at the first start."""

from app.services.demo.load import load_demo
from app.services.demo.people import ACCOUNTS, DEMO_MAIL

__all__ = ["ACCOUNTS", "DEMO_MAIL", "load_demo"]
