"""Who may do what to which rows: actors, rules, and one policy table with default deny."""
