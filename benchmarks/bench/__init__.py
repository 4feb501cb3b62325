"""Measures the gateway side by side with its peers: benchmarks/run is the command."""
