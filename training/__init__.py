"""How the shipped classifier came to be: data, augmentation, training, calibration, and its card.

Not part of the package; ``python -m training.train`` in the repository makes ``weights/synthesis.safetensors`` again.
"""
