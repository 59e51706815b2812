select 1
from {{ source('inputs', 'shop') }}
where false
