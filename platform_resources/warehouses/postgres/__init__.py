"""PostgreSQL as a server of published versions: schemas that are loaded aside and then renamed."""
