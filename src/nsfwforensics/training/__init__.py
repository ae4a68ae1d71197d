"""How the shipped classifier came to be: data, augmentation, training, calibration, evaluation.

Needs nothing at run time; ``python -m nsfwforensics.training.train`` makes ``weights/synthesis.safetensors`` again.
"""
