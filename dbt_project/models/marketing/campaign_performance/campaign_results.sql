with targets as (
    select campaign_id, count(distinct household_id) as households
    from {{ source('campaign_performance', 'campaign_targets') }}
    group by campaign_id
),

coupons as (
    select campaign_id, count(distinct coupon_upc) as coupons
    from {{ source('campaign_performance', 'campaign_coupons') }}
    group by campaign_id
),

redemptions as (
    select campaign_id, count(*) as redemptions, count(distinct household_id) as households
    from {{ source('campaign_performance', 'coupon_redemptions') }}
    group by campaign_id
)

select
    cast(windows.campaign_id as bigint) as campaign_id,
    cast(windows.campaign_type as varchar) as campaign_type,
    cast(windows.start_date as date) as start_date,
    cast(windows.end_date as date) as end_date,
    cast(windows.status as varchar) as status,
    cast(windows.measured_days as integer) as measured_days,
    cast(coalesce(targets.households, 0) as bigint) as targeted_households,
    cast(coalesce(coupons.coupons, 0) as bigint) as coupons,
    cast(coalesce(redemptions.redemptions, 0) as bigint) as redemptions,
    cast(coalesce(redemptions.households, 0) as bigint) as responding_households,
    cast(100.0 * coalesce(redemptions.households, 0) / nullif(targets.households, 0) as double) as response_rate,
    cast(uplift.compared_households as bigint) as compared_households,
    cast(uplift.targeted_before as decimal(18, 2)) as targeted_spend_before,
    cast(uplift.targeted_during as decimal(18, 2)) as targeted_spend_during,
    cast(uplift.compared_before as decimal(18, 2)) as compared_spend_before,
    cast(uplift.compared_during as decimal(18, 2)) as compared_spend_during,
    cast(uplift.uplift as decimal(18, 2)) as uplift_per_household,
    cast(uplift.uplift - 1.96 * uplift.uplift_error as decimal(18, 2)) as uplift_low,
    cast(uplift.uplift + 1.96 * uplift.uplift_error as decimal(18, 2)) as uplift_high,
    cast(100.0 * uplift.uplift / nullif(uplift.targeted_before, 0) as double) as uplift_percent,
    cast(uplift.uplift * targets.households as decimal(18, 2)) as uplift_total,
    cast(abs(uplift.uplift) > 1.96 * uplift.uplift_error as boolean) as is_significant,
    cast(case when windows.has_placebo then uplift.placebo end as decimal(18, 2)) as placebo_per_household,
    cast(case when windows.has_placebo then abs(uplift.placebo) <= 1.96 * uplift.placebo_error end as boolean) as passes_placebo,
    cast(current_timestamp as timestamptz) as processing_timestamp
from {{ ref('campaign_windows') }} as windows
left join targets on targets.campaign_id = windows.campaign_id
left join coupons on coupons.campaign_id = windows.campaign_id
left join redemptions on redemptions.campaign_id = windows.campaign_id
left join {{ ref('campaign_uplift') }} as uplift on uplift.campaign_id = windows.campaign_id and windows.is_measurable
