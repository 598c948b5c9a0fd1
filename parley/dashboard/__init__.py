"""Latency dashboard: a page that shows every turn, stage by stage."""
