"""Evidence that can be handed over: bags, signatures, and telling whether anything in them was changed since."""
