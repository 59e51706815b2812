-- Customers are never deleted
SELECT
  COUNT(*)
FROM "INTERNAL"."CUSTOMERS"
HAVING
  COUNT(*) >= 0;

-- About as many customers as usual
SELECT
  COUNT(*)
FROM "INTERNAL"."CUSTOMERS"
HAVING
  COUNT(*) >= 0;
