-- The days over which each campaign is measured, and the equally long windows before it: the baseline, and before that
-- the placebo window, in which nothing should be found. A running campaign is measured up to the last day that is over in
-- the stores, which is the day before the last one with orders.
with known as (
    select min(order_date) as first_day, max(order_date) - 1 as last_day from {{ source('campaign_performance', 'orders') }}
),

lengths as (
    select
        calendar.campaign_id,
        calendar.campaign_type,
        calendar.start_date,
        calendar.end_date,
        known.first_day,
        known.last_day,
        least(calendar.end_date, known.last_day) as measured_until,
        cast(least(calendar.end_date, known.last_day) - calendar.start_date + 1 as integer) as days
    from {{ source('campaign_performance', 'campaign_calendar') }} as calendar
    cross join known
)

select
    campaign_id,
    campaign_type,
    start_date,
    end_date,
    case when start_date > last_day then 'planned' when end_date > last_day then 'running' else 'completed' end as status,
    measured_until,
    greatest(days, 0) as measured_days,
    start_date - greatest(days, 0) as baseline_from,
    start_date - 2 * greatest(days, 0) as placebo_from,
    days >= 14 and start_date - greatest(days, 0) >= first_day as is_measurable,
    days >= 14 and start_date - 2 * greatest(days, 0) >= first_day as has_placebo
from lengths
