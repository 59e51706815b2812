-- Which coupon of which campaign is good for which product, each pair once.
{{ config(materialized='view') }}

select distinct campaign_id, coupon_upc, product_id
from {{ source('campaign_performance', 'campaign_coupons') }}
