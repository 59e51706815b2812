"""The engines that hold the data, one folder each."""
