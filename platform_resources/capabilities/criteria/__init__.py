"""The criteria that a product's score is made of, one file for each of its six letters."""
