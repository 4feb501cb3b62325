"""What distinguishes the two releases of the test; the deploys replace this file."""

VERSION = "one"
