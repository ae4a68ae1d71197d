"""Neural networks: devices, weights, face detection and comparison, the classifier."""
