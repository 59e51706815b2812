-- Orders agree with the ledger
SELECT
  COUNT(*)
FROM "INTERNAL"."ORDERS"
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
    NOT here."ORDER_ID" IS NULL AS keyed,
    there.copies AS copies,
    here."STATUS" AS h0,
    here."NET_SALES" AS h1,
    there.v0 AS v0,
    there.v1 AS v1
  FROM "INTERNAL"."ORDERS" AS here
  LEFT JOIN (
    SELECT
      "ORDER_NUMBER" AS k0,
      COUNT(*) AS copies,
      MIN("STATUS") AS v0,
      MIN("AMOUNT") AS v1
    FROM "INPUTS"."LEDGER"
    WHERE
      NOT "ORDER_NUMBER" IS NULL
    GROUP BY
      "ORDER_NUMBER"
  ) AS there
    ON there.k0 = here."ORDER_ID"
) AS made
HAVING
  COUNT(*) >= 0;

-- Revenue is as the ledger has it
SELECT
  (
    SUM("AMOUNT")
  ),
  COUNT(*)
FROM "INPUTS"."LEDGER"
HAVING
  COUNT(*) >= 0;
SELECT
  (
    SUM("NET_SALES")
  ),
  COUNT(*)
FROM "INTERNAL"."ORDERS"
HAVING
  COUNT(*) >= 0;
