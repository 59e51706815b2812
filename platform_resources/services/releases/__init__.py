"""What has changed for consumers since a product was released, and whether it may be released again."""
