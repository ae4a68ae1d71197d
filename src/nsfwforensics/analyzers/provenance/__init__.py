"""Where the file says it came from."""
