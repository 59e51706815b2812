-- Storage stays in its budget
-- (measured otherwise than by SQL)

-- Refreshes cost no more time than usual
-- (measured otherwise than by SQL)
