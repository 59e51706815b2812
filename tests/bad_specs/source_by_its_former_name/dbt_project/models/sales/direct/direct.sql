select 1 as id
from {{ source('inputs', 'shop') }}
