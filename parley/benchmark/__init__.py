"""Latency measurement of running services, stage by stage: `parley bench`."""
