"""What editing leaves in the pixels of one picture: JPEG grids, double quantisation, copies, noise."""
