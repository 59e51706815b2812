{% set name = 'order_lines' %}
select * from {{ ref(name) }}

union all
select * from {{ ref(var('lines')) }}
