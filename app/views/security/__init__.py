"""The ways in: log-in, log-out, sign-on, sessions, and what a user keeps about himself."""
