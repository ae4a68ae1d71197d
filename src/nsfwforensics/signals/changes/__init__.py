"""Where two aligned pictures differ: registration, photometric adjustment, difference, regions."""
