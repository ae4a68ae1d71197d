"""Do the pixels look generated?"""
