-- Not a cent is lost or counted twice on the way from the order lines to the weekly numbers.
with reported as (
    select cast(sum(net_sales) as decimal(18, 2)) as net_sales from {{ ref('weekly_department_revenue') }}
),

sold as (
    select cast(sum(net_sales) as decimal(18, 2)) as net_sales from {{ source('revenue', 'order_lines') }}
)

select reported.net_sales as reported, sold.net_sales as sold
from reported
cross join sold
where reported.net_sales <> sold.net_sales
