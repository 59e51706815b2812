-- Per campaign, the targeted households and those to compare them with: households that were sent no campaign at all that
-- overlaps the days measured. A household that was sent only another campaign belongs to neither side.
with targets as (
    select distinct campaign_id, household_id from {{ source('campaign_performance', 'campaign_targets') }}
),

exposed as (
    select distinct windows.campaign_id, targets.household_id
    from {{ ref('campaign_windows') }} as windows
    inner join {{ ref('campaign_windows') }} as others
        on others.start_date <= windows.measured_until and others.end_date >= windows.baseline_from
    inner join targets on targets.campaign_id = others.campaign_id
),

buyers as (
    select distinct household_id from {{ source('campaign_performance', 'orders') }}
)

select windows.campaign_id, targets.household_id, true as is_targeted
from {{ ref('campaign_windows') }} as windows
inner join targets on targets.campaign_id = windows.campaign_id

union all

select windows.campaign_id, buyers.household_id, false as is_targeted
from {{ ref('campaign_windows') }} as windows
cross join buyers
left join targets on targets.campaign_id = windows.campaign_id and targets.household_id = buyers.household_id
left join exposed on exposed.campaign_id = windows.campaign_id and exposed.household_id = buyers.household_id
where targets.household_id is null and exposed.household_id is null
