"""How facts are shown: words, charts and pictures, made purely from data of the services."""
