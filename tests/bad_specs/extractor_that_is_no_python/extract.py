def orders(extraction)
    return []
