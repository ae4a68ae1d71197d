"""What is written for programs and for other commands: JSON, CSV, hash lists, pages."""
