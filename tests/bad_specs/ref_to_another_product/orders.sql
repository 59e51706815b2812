select *
from {{ ref('product_catalog') }}
