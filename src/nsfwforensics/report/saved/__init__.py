"""A saved report: written as files finish, read again for every view."""
