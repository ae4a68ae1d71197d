"""A model that a user brought, asked whether pixels look generated."""
