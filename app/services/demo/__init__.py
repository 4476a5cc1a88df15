"""Demo data: deterministic, invented, in every state; the profile `demo` loads it at the first start."""

from app.services.demo.load import ACCOUNTS, DEMO_MAIL, load_demo

__all__ = ["ACCOUNTS", "DEMO_MAIL", "load_demo"]
