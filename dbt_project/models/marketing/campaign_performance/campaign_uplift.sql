-- Difference in differences per campaign: the targeted households' change in spend less that of the households compared
-- with, and its standard error from the variances of the households' changes (Welch).
with sides as (
    select
        campaign_id,
        is_targeted,
        count(*) as households,
        avg(during) as during,
        avg(before) as before,
        avg(during - before) as change,
        var_samp(during - before) / count(*) as change_variance,
        avg(before - long_before) as earlier_change,
        var_samp(before - long_before) / count(*) as earlier_variance
    from {{ ref('household_spend') }}
    group by campaign_id, is_targeted
)

select
    targeted.campaign_id,
    compared.households as compared_households,
    targeted.before as targeted_before,
    targeted.during as targeted_during,
    compared.before as compared_before,
    compared.during as compared_during,
    targeted.change - compared.change as uplift,
    sqrt(targeted.change_variance + compared.change_variance) as uplift_error,
    targeted.earlier_change - compared.earlier_change as placebo,
    sqrt(targeted.earlier_variance + compared.earlier_variance) as placebo_error
from sides as targeted
inner join sides as compared on compared.campaign_id = targeted.campaign_id and not compared.is_targeted
where targeted.is_targeted
