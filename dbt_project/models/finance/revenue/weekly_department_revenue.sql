-- Weekly net sales by department. Weeks run from Monday to Sunday in the stores' time; lines whose product is not in the
-- catalogue are counted under UNKNOWN, so that the total always equals what the tills took.
with sales as (
    select
        cast(date_trunc('week', order_lines.order_date) as date) as week_start,
        coalesce(products.department, 'UNKNOWN') as department,
        products.brand,
        order_lines.order_id,
        order_lines.household_id,
        order_lines.gross_sales,
        order_lines.net_sales
    from {{ source('revenue', 'order_lines') }} as order_lines
    left join {{ source('revenue', 'products') }} as products on order_lines.product_id = products.product_id
),

-- Deliveries end with a day in UTC, five hours before the day ends in the stores: a week is whole only when Monday's (UTC)
-- first orders are there too.
span as (
    select min(order_date) as first_day, max(ordered_at) as last_order from {{ source('revenue', 'order_lines') }}
),

weeks as (
    select
        week_start,
        department,
        count(distinct order_id) as orders,
        count(*) as order_lines,
        count(distinct household_id) as households,
        sum(gross_sales) as gross_sales,
        sum(gross_sales - net_sales) as discounts,
        sum(net_sales) as net_sales,
        sum(case when brand = 'private' then net_sales else 0 end) as private_label_sales
    from sales
    group by week_start, department
),

dated as (
    select weeks.*, week_start >= first_day and cast(week_start + 7 as timestamp) <= last_order as is_complete
    from weeks
    cross join span
)

select
    week_start,
    cast(department as varchar) as department,
    cast(orders as bigint) as orders,
    cast(order_lines as bigint) as order_lines,
    cast(households as bigint) as households,
    cast(gross_sales as decimal(18, 2)) as gross_sales,
    cast(discounts as decimal(18, 2)) as discounts,
    cast(net_sales as decimal(18, 2)) as net_sales,
    cast(private_label_sales as decimal(18, 2)) as private_label_sales,
    cast(is_complete as boolean) as is_complete,
    cast(is_complete and week_start = max(case when is_complete then week_start end) over () as boolean) as is_latest_complete,
    cast(current_timestamp as timestamptz) as processing_timestamp
from dated
