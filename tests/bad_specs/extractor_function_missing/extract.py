def order(extraction):
    return []
