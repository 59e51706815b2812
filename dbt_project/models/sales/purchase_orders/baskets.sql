-- One row per basket. Household, store and time are the same on every line of a basket.
select
    order_id,
    cast(min(household_id) as bigint) as household_id,
    cast(min(store_id) as bigint) as store_id,
    cast(min(ordered_at) as timestamp) as ordered_at,
    cast(min(order_date) as date) as order_date,
    cast(count(*) as bigint) as order_lines,
    cast(sum(gross_sales) as decimal(18, 2)) as gross_sales,
    cast(sum(loyalty_discount) as decimal(18, 2)) as loyalty_discount,
    cast(sum(coupon_match_discount) as decimal(18, 2)) as coupon_match_discount,
    cast(sum(net_sales) as decimal(18, 2)) as net_sales,
    cast(sum(manufacturer_coupon) as decimal(18, 2)) as manufacturer_coupon
from {{ ref('basket_lines') }}
group by order_id
