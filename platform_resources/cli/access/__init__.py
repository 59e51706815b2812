"""Commands about access: grants, roles, tokens, classification and policies."""
