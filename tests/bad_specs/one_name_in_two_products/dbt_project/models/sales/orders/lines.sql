select 1 as id from {{ source('orders', 'shop') }}
