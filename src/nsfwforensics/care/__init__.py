"""Where people can turn to: help lines and hotlines by country."""
