"""Who may change this host from a console that nobody logged in to: PAM, the administrators, the count of failures."""
