"""Many viewers of one dashboards process: what each sees, when, and what they cost."""
