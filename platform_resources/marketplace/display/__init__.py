"""Pure presentation: words, charts and pictures made from data of the services."""
