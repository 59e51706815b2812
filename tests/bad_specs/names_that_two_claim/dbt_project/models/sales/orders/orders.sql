select cast(1 as bigint) as order_id, cast(1 as double) as amount, cast(1 as double) as paid
