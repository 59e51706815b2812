select 1 as id from {{ source('tested', 'shop') }}
