"""Where data is: pull, build, measure and publish on a warehouse."""
