select * from {{ ref('lines') }}
