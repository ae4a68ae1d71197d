"""Does it show the same scene as a picture that you have?"""
