-- Every order belongs to a customer
SELECT
  COUNT(*),
  COUNT_IF("household_id" IS NULL)
FROM "internal"."orders"
HAVING
  COUNT(*) >= 0;
SELECT
  COUNT(*)
FROM "internal"."orders" AS here
WHERE
  NOT here."household_id" IS NULL
  AND NOT EXISTS(
    SELECT
      1
    FROM "internal"."customers" AS there
    WHERE
      there."household_id" = here."household_id"
  );
