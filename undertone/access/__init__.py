"""Who may do what on either side of the web: rights, API keys, logins."""
