select 1 from {{ ref('lines') }} where false
