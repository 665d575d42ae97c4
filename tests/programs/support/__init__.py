"""Modules that programs of the corpus import."""
