"""Everything that the pages show as JSON under /api/v1: routes, and by `…_answers` what each answer consists of.

Nothing is converted by those descriptions; tests hold real answers against them. Times are ISO 8601 texts. Lists and texts may be
empty, and what is not known is null, or is left out where a field says so.
"""
