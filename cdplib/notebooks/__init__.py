"""Chapters as executed notebooks and pages: parameters, provenance, golden outputs, the site."""
