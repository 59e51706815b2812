-- Customers can be read
-- (measured otherwise than by SQL)

-- The file of customers can be read
-- (measured otherwise than by SQL)
