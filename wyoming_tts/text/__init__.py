"""Text front end: normalisation, sentences and SSML."""
