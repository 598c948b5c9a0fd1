"""Text for eyes to text for ears."""
