"""What the tests of all scenarios share: ways to the hosts, an HTTP client, attempts as other users."""
