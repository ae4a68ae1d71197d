"""Drafts of removal requests: what each law asks for, filled in where it is known. Nothing is sent."""
