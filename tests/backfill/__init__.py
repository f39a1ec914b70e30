"""Backfills that are interrupted, that give way to a nightly run, and that publish before they are done."""
