"""The review engine: definitions as data, runs, tasks and an append-only log (architecture.md section 5).

A document is known here by its kind and id; what it is, and what follows an outcome, its service says in
`registry`. Every change goes through one function of `verbs`, inside the caller's unit of work.
"""
