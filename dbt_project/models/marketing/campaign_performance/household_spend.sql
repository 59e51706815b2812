-- What each household of a campaign's panel spent during the campaign, in the baseline, and in the placebo window.
with spend as (
    select
        windows.campaign_id,
        orders.household_id,
        sum(case when orders.order_date >= windows.start_date then orders.net_sales else 0 end) as during,
        sum(case when orders.order_date < windows.start_date and orders.order_date >= windows.baseline_from
            then orders.net_sales else 0 end) as before,
        sum(case when orders.order_date < windows.baseline_from then orders.net_sales else 0 end) as long_before
    from {{ ref('campaign_windows') }} as windows
    inner join {{ source('campaign_performance', 'orders') }} as orders
        on orders.order_date between windows.placebo_from and windows.measured_until
    group by windows.campaign_id, orders.household_id
)

select
    panel.campaign_id,
    panel.household_id,
    panel.is_targeted,
    cast(coalesce(spend.during, 0) as double) as during,
    cast(coalesce(spend.before, 0) as double) as before,
    cast(coalesce(spend.long_before, 0) as double) as long_before
from {{ ref('campaign_panel') }} as panel
left join spend on spend.campaign_id = panel.campaign_id and spend.household_id = panel.household_id
