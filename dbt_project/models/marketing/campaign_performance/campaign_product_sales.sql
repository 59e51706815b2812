-- Net sales of each product on a campaign's coupons, to each side of its panel, during the campaign and in the baseline.
with products as (
    select distinct campaign_id, product_id from {{ ref('coupon_products') }}
)

select
    panel.campaign_id,
    lines.product_id,
    panel.is_targeted,
    sum(case when lines.order_date >= windows.start_date then lines.net_sales else 0 end) as during,
    sum(case when lines.order_date < windows.start_date then lines.net_sales else 0 end) as before
from {{ ref('campaign_windows') }} as windows
inner join products on products.campaign_id = windows.campaign_id
inner join {{ source('campaign_performance', 'order_lines') }} as lines
    on lines.product_id = products.product_id and lines.order_date between windows.baseline_from and windows.measured_until
inner join {{ ref('campaign_panel') }} as panel
    on panel.campaign_id = windows.campaign_id and panel.household_id = lines.household_id
where windows.is_measurable
group by panel.campaign_id, lines.product_id, panel.is_targeted
