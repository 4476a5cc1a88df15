"""`make bench`: lists, details and exports on 100,000 projects, beside plain Flask-AppBuilder, in one run."""
