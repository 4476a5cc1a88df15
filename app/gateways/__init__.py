"""Ways out of the house, each one protocol with several adapters."""
