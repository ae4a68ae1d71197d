"""One file per analyzer: fields and pixels in, findings out."""
