select
    cast(product_id as bigint) as product_id,
    cast(department as varchar) as department,
    cast(product_category as varchar) as category,
    cast(product_type as varchar) as product_type,
    cast(lower(brand) as varchar) as brand,
    cast(manufacturer_id as bigint) as manufacturer_id,
    cast(package_size as varchar) as package_size
from {{ source('product_catalog', 'assortment') }}
