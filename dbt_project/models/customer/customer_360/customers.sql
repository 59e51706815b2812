select
    cast(coalesce(purchases.household_id, profiles.household_id) as bigint) as household_id,
    cast(profiles.age_band as varchar) as age_band,
    cast(profiles.income_band as varchar) as income_band,
    cast(coalesce(purchases.orders, 0) as bigint) as orders,
    cast(coalesce(purchases.revenue, 0) as decimal(18, 2)) as revenue,
    cast(purchases.last_purchase_at as timestamp) as last_purchase_at,
    cast(coalesce(purchases.last_purchase_at >= current_date - interval '90 day', false) as boolean) as is_active,
    cast(current_timestamp as timestamptz) as processing_timestamp
from {{ ref('household_purchases') }} as purchases
full outer join {{ source('customer_360', 'profiles') }} as profiles on purchases.household_id = profiles.household_id
