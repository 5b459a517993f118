"""The five experiments: data, networks, Eq. 16, measures and sweeps (torch)."""
