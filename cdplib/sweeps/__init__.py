"""Sweeps: what is trained, resumably, here or on a cluster, and how it is published."""
