with panel as (
    select
        campaign_id,
        nullif(sum(case when is_targeted then 1 else 0 end), 0) as targeted,
        nullif(sum(case when is_targeted then 0 else 1 end), 0) as compared
    from {{ ref('campaign_panel') }}
    group by campaign_id
),

sales as (
    select
        coupons.campaign_id,
        coupons.coupon_upc,
        count(distinct coupons.product_id) as products,
        coalesce(sum(case when sales.is_targeted then sales.before end), 0) as targeted_before,
        coalesce(sum(case when sales.is_targeted then sales.during end), 0) as targeted_during,
        coalesce(sum(case when not sales.is_targeted then sales.before end), 0) as compared_before,
        coalesce(sum(case when not sales.is_targeted then sales.during end), 0) as compared_during
    from {{ ref('coupon_products') }} as coupons
    left join {{ ref('campaign_product_sales') }} as sales
        on sales.campaign_id = coupons.campaign_id and sales.product_id = coupons.product_id
    group by coupons.campaign_id, coupons.coupon_upc
),

redemptions as (
    select campaign_id, coupon_upc, count(*) as redemptions, count(distinct household_id) as households
    from {{ source('campaign_performance', 'coupon_redemptions') }}
    group by campaign_id, coupon_upc
)

select
    cast(sales.campaign_id as bigint) as campaign_id,
    cast(sales.coupon_upc as bigint) as coupon_upc,
    cast(sales.products as bigint) as products,
    cast(coalesce(panel.targeted, 0) as bigint) as targeted_households,
    cast(coalesce(redemptions.redemptions, 0) as bigint) as redemptions,
    cast(coalesce(redemptions.households, 0) as bigint) as redeeming_households,
    cast(100.0 * coalesce(redemptions.households, 0) / panel.targeted as double) as redemption_rate,
    cast(case when windows.is_measurable then sales.targeted_before end as decimal(18, 2)) as targeted_sales_before,
    cast(case when windows.is_measurable then sales.targeted_during end as decimal(18, 2)) as targeted_sales_during,
    cast(
        case when windows.is_measurable then
            (sales.targeted_during - sales.targeted_before) / cast(panel.targeted as double)
            - (sales.compared_during - sales.compared_before) / cast(panel.compared as double)
        end as decimal(18, 4)
    ) as uplift_per_household,
    cast(current_timestamp as timestamptz) as processing_timestamp
from sales
inner join {{ ref('campaign_windows') }} as windows on windows.campaign_id = sales.campaign_id
left join panel on panel.campaign_id = sales.campaign_id
left join redemptions on redemptions.campaign_id = sales.campaign_id and redemptions.coupon_upc = sales.coupon_upc
