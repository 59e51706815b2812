"""Who sees what of a data set: clear, masked or not at all, which rows, and why. Decided here and nowhere else."""
