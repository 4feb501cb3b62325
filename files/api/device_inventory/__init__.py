"""The inventory application: devices, their storage, and a few endpoints that show how the gateway behaves."""
