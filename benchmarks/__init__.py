"""What the tool costs, side by side with what a user would do instead. ``make bench`` runs it all."""
