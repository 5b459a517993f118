"""Figures, drawn from results and nothing else."""
