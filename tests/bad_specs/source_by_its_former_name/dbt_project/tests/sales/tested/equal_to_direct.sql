select 1
from {{ ref('direct') }}
