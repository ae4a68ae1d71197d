"""How the file was saved as JPEG."""
