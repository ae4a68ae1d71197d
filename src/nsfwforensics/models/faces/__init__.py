"""Face detection, alignment and embedding, with the error rates measured for them."""
