"""Who sends a request: signed in here, at a provider, or vouched for by a proxy; and how many requests they may send."""
