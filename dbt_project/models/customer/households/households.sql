select
    cast(household_id as bigint) as household_id,
    cast(age as varchar) as age_band,
    cast(income as varchar) as income_band,
    cast(
        case income
            when 'Under 15K' then 1 when '15-24K' then 2 when '25-34K' then 3 when '35-49K' then 4
            when '50-74K' then 5 when '75-99K' then 6 when '100-124K' then 7 when '125-149K' then 8
            when '150-174K' then 9 when '175-199K' then 10 when '200-249K' then 11 when '250K+' then 12
        end as integer
    ) as income_rank,
    cast(home_ownership as varchar) as home_ownership,
    cast(marital_status as varchar) as marital_status,
    cast(household_size as varchar) as household_size,
    cast(household_comp as varchar) as composition,
    cast(kids_count as varchar) as kids
from {{ source('households', 'demographics') }}
