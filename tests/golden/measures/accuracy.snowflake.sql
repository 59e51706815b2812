-- Orders agree with the ledger
SELECT
  COUNT(*)
FROM "internal"."orders"
HAVING
  COUNT(*) >= 0;
SELECT
  COUNT_IF(copies = 1 AND NOT (
    h0 IS NOT DISTINCT FROM v0
  )),
  COUNT_IF(
    copies = 1
    AND NOT (
      h1 IS NOT DISTINCT FROM v1
      OR (
        NOT h1 IS NULL
        AND NOT v1 IS NULL
        AND GREATEST_IGNORE_NULLS(h1, v1) - LEAST_IGNORE_NULLS(h1, v1) <= 0.01
      )
    )
  ),
  COUNT_IF(copies > 1),
  COUNT_IF(keyed AND copies IS NULL),
  COUNT_IF(keyed)
FROM (
  SELECT
    NOT here."order_id" IS NULL AS keyed,
    there.copies AS copies,
    here."status" AS h0,
    here."net_sales" AS h1,
    there.v0 AS v0,
    there.v1 AS v1
  FROM "internal"."orders" AS here
  LEFT JOIN (
    SELECT
      "order_number" AS k0,
      COUNT(*) AS copies,
      MIN("status") AS v0,
      MIN("amount") AS v1
    FROM "inputs"."ledger"
    WHERE
      NOT "order_number" IS NULL
    GROUP BY
      "order_number"
  ) AS there
    ON there.k0 = here."order_id"
) AS made
HAVING
  COUNT(*) >= 0;

-- Revenue is as the ledger has it
SELECT
  (
    SUM("amount")
  ),
  COUNT(*)
FROM "inputs"."ledger"
HAVING
  COUNT(*) >= 0;
SELECT
  (
    SUM("net_sales")
  ),
  COUNT(*)
FROM "internal"."orders"
HAVING
  COUNT(*) >= 0;
