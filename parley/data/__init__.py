"""Sound that comes with Parley."""
