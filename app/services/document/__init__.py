"""What the documents that a unit fills in share: declaration, change request, fund adjustment.

A kind says in a `Description` what it is made of and in a `DocumentKind` how it is loaded, checked and
moved; `draft` and `submission` do the rest. Its own service keeps what is its own: rules, outcomes.
"""
