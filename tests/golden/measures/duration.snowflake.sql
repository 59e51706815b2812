-- Refreshed in ten minutes
-- (measured otherwise than by SQL)

-- Refreshed as fast as usual
-- (measured otherwise than by SQL)

-- No slower than usual on that weekday
-- (measured otherwise than by SQL)
