-- Beside Dagster's own database: the ledger, and what ports of the interface postgres serve.
create database ledger;
create database serving;
