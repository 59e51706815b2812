"""Who sends a request, how many they may send, and what people ask for and decide."""
