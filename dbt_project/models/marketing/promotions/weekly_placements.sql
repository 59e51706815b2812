-- The week's placements with the codes spelled out. A view: 21 million rows are read once, when a version is written.
{{ config(materialized='view') }}

select
    cast(product_id as bigint) as product_id,
    cast(store_id as bigint) as store_id,
    cast(week_start as date) as week_start,
    cast(
        case display_location
            when '0' then 'none' when '1' then 'store front' when '2' then 'store rear' when '3' then 'front end cap'
            when '4' then 'mid-aisle end cap' when '5' then 'rear end cap' when '6' then 'side-aisle end cap'
            when '7' then 'in-aisle' when '9' then 'secondary location' when 'A' then 'in-shelf'
        end as varchar
    ) as display,
    cast(
        case mailer_location
            when '0' then 'none' when 'A' then 'interior page feature' when 'C' then 'interior page line item'
            when 'D' then 'front page feature' when 'F' then 'back page feature' when 'H' then 'wrap front feature'
            when 'J' then 'wrap interior coupon' when 'L' then 'wrap back feature' when 'P' then 'interior page coupon'
            when 'X' then 'free on interior page' when 'Z' then 'free on front page, back page or wrap'
        end as varchar
    ) as mailer
from {{ source('promotions', 'placements') }}
