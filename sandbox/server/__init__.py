"""The registry server's rules (server v0.3.14): it opens the database for real, and serves, fails and logs as the server does."""
