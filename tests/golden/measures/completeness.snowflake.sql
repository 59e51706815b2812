-- Every customer has a profile
SELECT
  COUNT(*),
  COUNT(*) - COUNT("age_band"),
  COUNT(*) - COUNT("income_band")
FROM "internal"."customers"
HAVING
  COUNT(*) >= 0;

-- Every buyer is a customer
SELECT
  COUNT(*)
FROM (
  SELECT DISTINCT
    "household_id"
  FROM "inputs"."orders"
  WHERE
    NOT "household_id" IS NULL
) AS keys;
SELECT
  COUNT(*)
FROM (
  SELECT DISTINCT
    "household_id"
  FROM "inputs"."orders"
  WHERE
    NOT "household_id" IS NULL
) AS here
WHERE
  NOT EXISTS(
    SELECT
      1
    FROM "internal"."customers" AS there
    WHERE
      there."household_id" = here."household_id"
  );

-- No more unknown ages than usual
SELECT
  COUNT(*),
  COUNT(*) - COUNT("age_band")
FROM "internal"."customers"
HAVING
  COUNT(*) >= 0;
