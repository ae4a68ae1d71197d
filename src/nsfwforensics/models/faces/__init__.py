"""Is the person of the reference photo in it?"""
