-- The bands of the customers are masked here: a mask leaves empty values empty, so it is known who has a profile.
select
    household_id,
    cast(case when is_active then 'active' when orders > 0 then 'lapsed' else 'new' end as varchar) as activity,
    cast(case when revenue >= 3000 then 'high' when revenue >= 1000 then 'medium' else 'low' end as varchar) as spend,
    cast(age_band is not null as boolean) as has_profile,
    cast(current_timestamp as timestamptz) as processing_timestamp
from {{ source('household_segments', 'customers') }}
