"""Chapters executed with typed parameters, their provenance, golden outputs and the site.

``sources`` reads chapters, ``inputs`` knows what a chapter depends on, ``execute`` runs one,
``provenance`` says how, ``site`` renders pages, ``run`` and ``book`` are the two commands.
"""
