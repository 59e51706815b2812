-- Refreshed daily
SELECT
  (
    COALESCE(COUNT_IF("changed_at" > CURRENT_TIMESTAMP() + INTERVAL '5 MINUTES'), 0)
  ),
  (
    MAX(
      CASE
        WHEN "changed_at" >= CAST('1700-01-01 00:00:00+00:00' AS TIMESTAMPTZ)
        AND "changed_at" <= CURRENT_TIMESTAMP() + INTERVAL '5 MINUTES'
        THEN "changed_at"
      END
    )
  ),
  COUNT(*),
  COUNT(*) - COUNT("changed_at")
FROM "internal"."customers"
HAVING
  COUNT(*) >= 0;
