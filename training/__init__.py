"""The laboratory: how the classifier of generated pictures is made and measured. Not part of the installed package."""
