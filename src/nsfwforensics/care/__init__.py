"""Where people can turn to: help lines, and what to do before a picture is handled any further."""
