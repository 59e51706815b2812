-- Every customer has a profile
SELECT
  COUNT(*),
  COUNT(*) - COUNT("AGE_BAND"),
  COUNT(*) - COUNT("INCOME_BAND")
FROM "INTERNAL"."CUSTOMERS"
HAVING
  COUNT(*) >= 0;

-- Every buyer is a customer
SELECT
  COUNT(*)
FROM (
  SELECT DISTINCT
    "HOUSEHOLD_ID"
  FROM "INPUTS"."ORDERS"
  WHERE
    NOT "HOUSEHOLD_ID" IS NULL
) AS keys;
SELECT
  COUNT(*)
FROM (
  SELECT DISTINCT
    "HOUSEHOLD_ID"
  FROM "INPUTS"."ORDERS"
  WHERE
    NOT "HOUSEHOLD_ID" IS NULL
) AS here
WHERE
  NOT EXISTS(
    SELECT
      1
    FROM "INTERNAL"."CUSTOMERS" AS there
    WHERE
      there."HOUSEHOLD_ID" = here."HOUSEHOLD_ID"
  );

-- No more unknown ages than usual
SELECT
  COUNT(*),
  COUNT(*) - COUNT("AGE_BAND")
FROM "INTERNAL"."CUSTOMERS"
HAVING
  COUNT(*) >= 0;

-- Every band has incomes
SELECT
  COUNT(*) - COUNT("AGE_BAND")
FROM "INTERNAL"."CUSTOMERS"
HAVING
  COUNT(*) >= 0;
SELECT
  LISTAGG(
    
      CAST(size AS VARCHAR) || CHR(  31) || CAST(c0 AS VARCHAR) || CHR(  31) || REPLACE(name, CHR(  30), ' '),
      CHR(  30)
    
  ) WITHIN GROUP (ORDER BY
    size DESC NULLS LAST,
    c0 DESC NULLS LAST,
    name)
FROM (
  SELECT
    CAST(v AS VARCHAR) AS name,
    COUNT(*) AS size,
    COUNT_IF(f0) AS c0
  FROM (
    SELECT
      "AGE_BAND" AS v,
      (
        "INCOME_BAND" IS NULL
      ) AS f0
    FROM "INTERNAL"."CUSTOMERS"
    WHERE
      NOT "AGE_BAND" IS NULL AND (
        TRUE
      )
  ) AS told
  GROUP BY
    v
  HAVING
    COUNT(*) >= 1
  ORDER BY
    size DESC NULLS LAST,
    c0 DESC NULLS LAST,
    name
  LIMIT 1001
) AS sizes;
