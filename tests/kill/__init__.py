"""Runs that are killed, starved of disk, or given broken files."""
