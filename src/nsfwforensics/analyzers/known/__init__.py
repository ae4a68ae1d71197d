"""Is it on a list of known images?"""
