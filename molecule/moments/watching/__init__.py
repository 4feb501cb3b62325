"""What the askers have seen, and how well they watched."""
