select * from {{ source('raw', 'shop') }}
union all
select * from {{ source('orders', 'shopp') }}
