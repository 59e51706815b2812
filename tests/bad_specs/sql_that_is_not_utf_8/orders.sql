-- Bestellungen für alle
select 1 as id
