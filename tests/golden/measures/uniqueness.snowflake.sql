-- One row per household
SELECT
  COUNT(*)
FROM "internal"."customers"
HAVING
  COUNT(*) >= 0;
SELECT
  COUNT(*)
FROM (
  SELECT DISTINCT
    "household_id"
  FROM "internal"."customers"
) AS keys;
