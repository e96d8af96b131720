"""The registry server's rules (server v0.3.8): it opens the database for real, and serves, fails and logs as the server does."""
