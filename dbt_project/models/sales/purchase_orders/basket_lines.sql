-- One row per product of a basket. The source gives what the retailer receives (sales_value), after loyalty and
-- coupon-match discounts and before the manufacturer's coupon, which the manufacturer pays back.
select
    cast(basket_id as bigint) as order_id,
    cast(product_id as bigint) as product_id,
    cast(household_id as bigint) as household_id,
    cast(store_id as bigint) as store_id,
    cast(transaction_timestamp as timestamp) as ordered_at,
    cast(transaction_date as date) as order_date,
    cast(quantity as bigint) as quantity,
    cast(
        cast(sales_value as decimal(18, 2)) + cast(retail_disc as decimal(18, 2)) + cast(coupon_match_disc as decimal(18, 2))
        as decimal(18, 2)
    ) as gross_sales,
    cast(retail_disc as decimal(18, 2)) as loyalty_discount,
    cast(coupon_match_disc as decimal(18, 2)) as coupon_match_discount,
    cast(sales_value as decimal(18, 2)) as net_sales,
    cast(coupon_disc as decimal(18, 2)) as manufacturer_coupon
from {{ source('purchase_orders', 'transactions') }}
