"""The attacks of this scenario: their table, and how they are made on a host."""
