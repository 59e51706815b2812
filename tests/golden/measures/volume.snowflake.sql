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

-- Each week has customers
SELECT
  COUNT(*) - COUNT("LAST_PURCHASE_AT")
FROM "INTERNAL"."CUSTOMERS"
HAVING
  COUNT(*) >= 0;
SELECT
  LISTAGG(CAST(size AS VARCHAR) || CHR(  31) || REPLACE(name, CHR(  30), ' '), CHR(  30)) WITHIN GROUP (ORDER BY
    size DESC NULLS LAST,
    name)
FROM (
  SELECT
    CAST(v AS VARCHAR) AS name,
    COUNT(*) AS size
  FROM (
    SELECT
      CAST(DATE_TRUNC('WEEK', "LAST_PURCHASE_AT") AS DATE) AS v
    FROM "INTERNAL"."CUSTOMERS"
    WHERE
      NOT "LAST_PURCHASE_AT" IS NULL AND (
        TRUE
      )
  ) AS told
  GROUP BY
    v
  HAVING
    COUNT(*) >= 1
  ORDER BY
    size DESC NULLS LAST,
    name
  LIMIT 1001
) AS sizes;

-- Each delivery of orders has about as many as usual
SELECT
  COUNT(*)
FROM "INTERNAL"."CUSTOMERS"
HAVING
  COUNT(*) >= 0;
