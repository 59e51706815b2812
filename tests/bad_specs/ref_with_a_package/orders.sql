select * from {{ ref('sales', 'order_lines') }}
