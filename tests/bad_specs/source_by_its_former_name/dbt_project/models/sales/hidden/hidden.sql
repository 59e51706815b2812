select 1 as id from {{ shop() }}
