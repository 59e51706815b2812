-- Customers are never deleted
SELECT
  COUNT(*)
FROM "internal"."customers"
HAVING
  COUNT(*) >= 0;

-- About as many customers as usual
SELECT
  COUNT(*)
FROM "internal"."customers"
HAVING
  COUNT(*) >= 0;
