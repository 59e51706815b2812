-- Refreshed daily
SELECT
  MAX("changed_at")
FROM "internal"."customers"
HAVING
  COUNT(*) >= 0;
