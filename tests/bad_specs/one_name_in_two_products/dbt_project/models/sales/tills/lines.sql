select 1 as id from {{ source('tills', 'shop') }}
