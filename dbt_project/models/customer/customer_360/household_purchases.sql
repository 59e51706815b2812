-- What each household has bought, from all its orders.
{{ config(materialized='view') }}

select
    household_id,
    count(*) as orders,
    sum(net_sales) as revenue,
    max(ordered_at) as last_purchase_at
from {{ source('customer_360', 'orders') }}
group by household_id
