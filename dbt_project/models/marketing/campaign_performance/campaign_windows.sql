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
        cast(greatest(least(calendar.end_date, known.last_day) - calendar.start_date + 1, 0) as integer) as days
    from {{ source('campaign_performance', 'campaign_calendar') }} as calendar
    cross join known
),

windows as (
    select
        lengths.*,
        cast({{ dbt.dateadd('day', '-days', 'start_date') }} as date) as baseline_from,
        cast({{ dbt.dateadd('day', '-2 * days', 'start_date') }} as date) as placebo_from
    from lengths
)

select
    campaign_id,
    campaign_type,
    start_date,
    end_date,
    case when start_date > last_day then 'planned' when end_date > last_day then 'running' else 'completed' end as status,
    measured_until,
    days as measured_days,
    baseline_from,
    placebo_from,
    days >= 14 and baseline_from >= first_day as is_measurable,
    days >= 14 and placebo_from >= first_day as has_placebo
from windows
