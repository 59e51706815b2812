select * from {{ ref('order_line') }}
