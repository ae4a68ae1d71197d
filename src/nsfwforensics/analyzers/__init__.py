"""One analyzer, one folder or file: fields and pixels in, findings out."""
