-- Offers reach all age bands alike
SELECT
  COUNT_IF((
    NOT "HAS_OFFER" IS NULL
  ) AND NOT "AGE_BAND" IS NULL),
  COUNT_IF(FALSE)
FROM "INTERNAL"."CUSTOMERS"
HAVING
  COUNT(*) >= 0;
SELECT
  LISTAGG(
    
      CAST(size AS VARCHAR) || CHR(  31) || CAST(c0 AS VARCHAR) || CHR(  31) || CAST(c1 AS VARCHAR) || CHR(  31) || CAST(c2 AS VARCHAR) || CHR(  31) || REPLACE(name, CHR(  30), ' '),
      CHR(  30)
    
  ) WITHIN GROUP (ORDER BY
    size DESC NULLS LAST,
    c0 DESC NULLS LAST,
    c1 DESC NULLS LAST,
    c2 DESC NULLS LAST,
    name)
FROM (
  SELECT
    CAST(v AS VARCHAR) AS name,
    COUNT(*) AS size,
    COUNT_IF(f0) AS c0,
    COUNT_IF(f1) AS c1,
    COUNT_IF(f2) AS c2
  FROM (
    SELECT
      "AGE_BAND" AS v,
      (
        "HAS_OFFER"
      ) AS f0,
      (
        FALSE
      ) AS f1,
      (
        (
          "HAS_OFFER"
        ) AND FALSE
      ) AS f2
    FROM "INTERNAL"."CUSTOMERS"
    WHERE
      NOT "AGE_BAND" IS NULL AND (
        NOT "HAS_OFFER" IS NULL
      )
  ) AS told
  GROUP BY
    v
  HAVING
    COUNT(*) >= 30
  ORDER BY
    size DESC NULLS LAST,
    c0 DESC NULLS LAST,
    c1 DESC NULLS LAST,
    c2 DESC NULLS LAST,
    name
  LIMIT 1001
) AS sizes;

-- Good customers get credit in every region
SELECT
  COUNT_IF((
    NOT (
      credit_limit > 0
    ) IS NULL
  ) AND NOT "REGION" IS NULL),
  COUNT_IF(FALSE)
FROM "INTERNAL"."CUSTOMERS"
HAVING
  COUNT(*) >= 0;
SELECT
  LISTAGG(
    
      CAST(size AS VARCHAR) || CHR(  31) || CAST(c0 AS VARCHAR) || CHR(  31) || CAST(c1 AS VARCHAR) || CHR(  31) || CAST(c2 AS VARCHAR) || CHR(  31) || REPLACE(name, CHR(  30), ' '),
      CHR(  30)
    
  ) WITHIN GROUP (ORDER BY
    size DESC NULLS LAST,
    c0 DESC NULLS LAST,
    c1 DESC NULLS LAST,
    c2 DESC NULLS LAST,
    name)
FROM (
  SELECT
    CAST(v AS VARCHAR) AS name,
    COUNT(*) AS size,
    COUNT_IF(f0) AS c0,
    COUNT_IF(f1) AS c1,
    COUNT_IF(f2) AS c2
  FROM (
    SELECT
      "REGION" AS v,
      (
        (
          credit_limit > 0
        )
      ) AS f0,
      (
        "PAID_IN_TIME"
      ) AS f1,
      (
        (
          (
            credit_limit > 0
          )
        ) AND "PAID_IN_TIME"
      ) AS f2
    FROM "INTERNAL"."CUSTOMERS"
    WHERE
      NOT "REGION" IS NULL AND (
        NOT (
          credit_limit > 0
        ) IS NULL
      )
  ) AS told
  GROUP BY
    v
  HAVING
    COUNT(*) >= 100
  ORDER BY
    size DESC NULLS LAST,
    c0 DESC NULLS LAST,
    c1 DESC NULLS LAST,
    c2 DESC NULLS LAST,
    name
  LIMIT 1001
) AS sizes;
