-- limit of compute MESH__CRM: domain crm may use 50 credits in a month
create resource monitor if not exists "MESH__CRM" with credit_quota = 50 frequency = monthly start_timestamp = immediately triggers on 80 percent do notify on 100 percent do suspend;

-- compute MESH__CRM: compute of domain crm
create warehouse if not exists "MESH__CRM" warehouse_size = large auto_suspend = 120 auto_resume = true initially_suspended = true statement_timeout_in_seconds = 7200 comment = 'Made by the mesh';
alter warehouse "MESH__CRM" set resource_monitor = "MESH__CRM";

-- role MESH__CRM__MEMBERS: those who belong to domain crm
create role if not exists "MESH__CRM__MEMBERS" comment = 'Made by the mesh: those who belong to domain crm';

-- privilege USAGE on WAREHOUSE MESH__CRM to MESH__CRM__MEMBERS: compute of domain crm
grant usage on warehouse "MESH__CRM" to role "MESH__CRM__MEMBERS";

-- member MESH__CRM__MEMBERS to USER LEAD@EXAMPLE.COM: lead@example.com owns domain crm
grant role "MESH__CRM__MEMBERS" to user "LEAD@EXAMPLE.COM";

-- schema MESH__CRM__CUSTOMERS.INPUTS: product customers: only the platform gives access to what is in it
create schema if not exists "MESH__CRM__CUSTOMERS"."INPUTS" with managed access;

-- schema MESH__CRM__CUSTOMERS.INTERNAL: product customers: only the platform gives access to what is in it
create schema if not exists "MESH__CRM__CUSTOMERS"."INTERNAL" with managed access;

-- schema MESH__CRM__CUSTOMERS.VERSIONS: product customers: only the platform gives access to what is in it
create schema if not exists "MESH__CRM__CUSTOMERS"."VERSIONS" with managed access;

-- schema MESH__CRM__CUSTOMERS.PORTS: product customers: only the platform gives access to what is in it
create schema if not exists "MESH__CRM__CUSTOMERS"."PORTS" with managed access;

-- schema MESH__CRM__CUSTOMERS.VIEWS: product customers: only the platform gives access to what is in it
create schema if not exists "MESH__CRM__CUSTOMERS"."VIEWS" with managed access;

-- schema MESH__CRM__CUSTOMERS.MESH: product customers: only the platform gives access to what is in it
create schema if not exists "MESH__CRM__CUSTOMERS"."MESH" with managed access;

-- schema MESH__CRM__CUSTOMERS.AS_ANALYST_REGION_EU_87AD48A5: product customers: only the platform gives access to what is in it
create schema if not exists "MESH__CRM__CUSTOMERS"."AS_ANALYST_REGION_EU_87AD48A5" with managed access;

-- schema MESH__CRM__CUSTOMERS.AS_CRM: product customers: only the platform gives access to what is in it
create schema if not exists "MESH__CRM__CUSTOMERS"."AS_CRM" with managed access;

-- role MESH__CRM__CUSTOMERS__TEAM: the team of product customers
create role if not exists "MESH__CRM__CUSTOMERS__TEAM" comment = 'Made by the mesh: the team of product customers';

-- privilege USAGE on DATABASE MESH__CRM__CUSTOMERS to MESH__CRM__CUSTOMERS__TEAM: product customers
grant usage on database "MESH__CRM__CUSTOMERS" to role "MESH__CRM__CUSTOMERS__TEAM";

-- privilege USAGE on WAREHOUSE MESH__CRM to MESH__CRM__CUSTOMERS__TEAM: product customers
grant usage on warehouse "MESH__CRM" to role "MESH__CRM__CUSTOMERS__TEAM";

-- privilege USAGE on SCHEMA MESH__CRM__CUSTOMERS.INPUTS to MESH__CRM__CUSTOMERS__TEAM: product customers
grant usage on schema "MESH__CRM__CUSTOMERS"."INPUTS" to role "MESH__CRM__CUSTOMERS__TEAM";

-- privilege SELECT on FUTURE TABLE MESH__CRM__CUSTOMERS.INPUTS to MESH__CRM__CUSTOMERS__TEAM: product customers
grant select on all tables in schema "MESH__CRM__CUSTOMERS"."INPUTS" to role "MESH__CRM__CUSTOMERS__TEAM";
grant select on future tables in schema "MESH__CRM__CUSTOMERS"."INPUTS" to role "MESH__CRM__CUSTOMERS__TEAM";

-- privilege SELECT on FUTURE VIEW MESH__CRM__CUSTOMERS.INPUTS to MESH__CRM__CUSTOMERS__TEAM: product customers
grant select on all views in schema "MESH__CRM__CUSTOMERS"."INPUTS" to role "MESH__CRM__CUSTOMERS__TEAM";
grant select on future views in schema "MESH__CRM__CUSTOMERS"."INPUTS" to role "MESH__CRM__CUSTOMERS__TEAM";

-- privilege USAGE on SCHEMA MESH__CRM__CUSTOMERS.INTERNAL to MESH__CRM__CUSTOMERS__TEAM: product customers
grant usage on schema "MESH__CRM__CUSTOMERS"."INTERNAL" to role "MESH__CRM__CUSTOMERS__TEAM";

-- privilege SELECT on FUTURE TABLE MESH__CRM__CUSTOMERS.INTERNAL to MESH__CRM__CUSTOMERS__TEAM: product customers
grant select on all tables in schema "MESH__CRM__CUSTOMERS"."INTERNAL" to role "MESH__CRM__CUSTOMERS__TEAM";
grant select on future tables in schema "MESH__CRM__CUSTOMERS"."INTERNAL" to role "MESH__CRM__CUSTOMERS__TEAM";

-- privilege SELECT on FUTURE VIEW MESH__CRM__CUSTOMERS.INTERNAL to MESH__CRM__CUSTOMERS__TEAM: product customers
grant select on all views in schema "MESH__CRM__CUSTOMERS"."INTERNAL" to role "MESH__CRM__CUSTOMERS__TEAM";
grant select on future views in schema "MESH__CRM__CUSTOMERS"."INTERNAL" to role "MESH__CRM__CUSTOMERS__TEAM";

-- privilege USAGE on SCHEMA MESH__CRM__CUSTOMERS.PORTS to MESH__CRM__CUSTOMERS__TEAM: product customers
grant usage on schema "MESH__CRM__CUSTOMERS"."PORTS" to role "MESH__CRM__CUSTOMERS__TEAM";

-- privilege SELECT on FUTURE TABLE MESH__CRM__CUSTOMERS.PORTS to MESH__CRM__CUSTOMERS__TEAM: product customers
grant select on all tables in schema "MESH__CRM__CUSTOMERS"."PORTS" to role "MESH__CRM__CUSTOMERS__TEAM";
grant select on future tables in schema "MESH__CRM__CUSTOMERS"."PORTS" to role "MESH__CRM__CUSTOMERS__TEAM";

-- privilege SELECT on FUTURE VIEW MESH__CRM__CUSTOMERS.PORTS to MESH__CRM__CUSTOMERS__TEAM: product customers
grant select on all views in schema "MESH__CRM__CUSTOMERS"."PORTS" to role "MESH__CRM__CUSTOMERS__TEAM";
grant select on future views in schema "MESH__CRM__CUSTOMERS"."PORTS" to role "MESH__CRM__CUSTOMERS__TEAM";

-- member MESH__CRM__CUSTOMERS__TEAM to USER LEAD@EXAMPLE.COM: lead@example.com owns product customers
grant role "MESH__CRM__CUSTOMERS__TEAM" to user "LEAD@EXAMPLE.COM";

-- member MESH__CRM__CUSTOMERS__TEAM to ROLE MESH__CRM__MEMBERS: domain crm sees everything of its products
grant role "MESH__CRM__CUSTOMERS__TEAM" to role "MESH__CRM__MEMBERS";

-- role MESH__CRM__CUSTOMERS__READS_ANALYST_REGION_EU_87AD48A5: analyst-region-EU: grant customers/internal_use/1 of ana@example.com
create role if not exists "MESH__CRM__CUSTOMERS__READS_ANALYST_REGION_EU_87AD48A5" comment = 'Made by the mesh: analyst-region-EU: grant customers/internal_use/1 of ana@example.com';

-- privilege USAGE on DATABASE MESH__CRM__CUSTOMERS to MESH__CRM__CUSTOMERS__READS_ANALYST_REGION_EU_87AD48A5: analyst-region-EU: grant customers/internal_use/1 of ana@example.com
grant usage on database "MESH__CRM__CUSTOMERS" to role "MESH__CRM__CUSTOMERS__READS_ANALYST_REGION_EU_87AD48A5";

-- privilege USAGE on SCHEMA MESH__CRM__CUSTOMERS.AS_ANALYST_REGION_EU_87AD48A5 to MESH__CRM__CUSTOMERS__READS_ANALYST_REGION_EU_87AD48A5: analyst-region-EU: grant customers/internal_use/1 of ana@example.com
grant usage on schema "MESH__CRM__CUSTOMERS"."AS_ANALYST_REGION_EU_87AD48A5" to role "MESH__CRM__CUSTOMERS__READS_ANALYST_REGION_EU_87AD48A5";

-- view MESH__CRM__CUSTOMERS.AS_ANALYST_REGION_EU_87AD48A5.CUSTOMERS: analyst-region-EU: grant customers/internal_use/1 of ana@example.com
create or replace secure view "MESH__CRM__CUSTOMERS"."AS_ANALYST_REGION_EU_87AD48A5"."CUSTOMERS" copy grants comment = 'Who buys; it''s all.' as select "ID", "REGION" from "MESH__CRM__CUSTOMERS".VIEWS."CUSTOMERS__VIEW_0123456789AB" where _MESH_VERSION = (select parse_json(RECORD):latest::varchar from "MESH__CRM__CUSTOMERS".MESH.NOTES where TOPIC = 'pointer' and NAME = 'latest');
merge into "MESH__CRM__CUSTOMERS".MESH.NOTES as kept using (select 'catalog:AS_ANALYST_REGION_EU_87AD48A5' as TOPIC, 'CUSTOMERS' as NAME, 'dfad613208ef8b8e3dd494c2da8026b691ad24e56bb2f9b5cdb1c4da4cdeffd9' as RECORD) as new on kept.TOPIC = new.TOPIC and kept.NAME = new.NAME when matched then update set RECORD = new.RECORD when not matched then insert (TOPIC, NAME, RECORD) values (new.TOPIC, new.NAME, new.RECORD);

-- privilege SELECT on VIEW MESH__CRM__CUSTOMERS.AS_ANALYST_REGION_EU_87AD48A5.CUSTOMERS to MESH__CRM__CUSTOMERS__READS_ANALYST_REGION_EU_87AD48A5: analyst-region-EU: grant customers/internal_use/1 of ana@example.com
grant select on view "MESH__CRM__CUSTOMERS"."AS_ANALYST_REGION_EU_87AD48A5"."CUSTOMERS" to role "MESH__CRM__CUSTOMERS__READS_ANALYST_REGION_EU_87AD48A5";

-- member MESH__CRM__CUSTOMERS__READS_ANALYST_REGION_EU_87AD48A5 to USER ANA@EXAMPLE.COM: analyst-region-EU: grant customers/internal_use/1 of ana@example.com
grant role "MESH__CRM__CUSTOMERS__READS_ANALYST_REGION_EU_87AD48A5" to user "ANA@EXAMPLE.COM";

-- role MESH__CRM__CUSTOMERS__READS_CRM: crm: grant customers/internal_use/2 of product:calls; service: grant customers/internal_use/3 of team:desk
create role if not exists "MESH__CRM__CUSTOMERS__READS_CRM" comment = 'Made by the mesh: crm: grant customers/internal_use/2 of product:calls; service: grant customers/internal_use/3 of team:desk';

-- privilege USAGE on DATABASE MESH__CRM__CUSTOMERS to MESH__CRM__CUSTOMERS__READS_CRM: crm: grant customers/internal_use/2 of product:calls; service: grant customers/internal_use/3 of team:desk
grant usage on database "MESH__CRM__CUSTOMERS" to role "MESH__CRM__CUSTOMERS__READS_CRM";

-- privilege USAGE on SCHEMA MESH__CRM__CUSTOMERS.AS_CRM to MESH__CRM__CUSTOMERS__READS_CRM: crm: grant customers/internal_use/2 of product:calls; service: grant customers/internal_use/3 of team:desk
grant usage on schema "MESH__CRM__CUSTOMERS"."AS_CRM" to role "MESH__CRM__CUSTOMERS__READS_CRM";

-- view MESH__CRM__CUSTOMERS.AS_CRM.CUSTOMERS: crm: grant customers/internal_use/2 of product:calls; service: grant customers/internal_use/3 of team:desk
create or replace secure view "MESH__CRM__CUSTOMERS"."AS_CRM"."CUSTOMERS" copy grants comment = 'Who buys; it''s all.' as select "ID", "REGION" from "MESH__CRM__CUSTOMERS".VIEWS."CUSTOMERS__VIEW_0123456789AB" where _MESH_VERSION = (select parse_json(RECORD):latest::varchar from "MESH__CRM__CUSTOMERS".MESH.NOTES where TOPIC = 'pointer' and NAME = 'latest');
merge into "MESH__CRM__CUSTOMERS".MESH.NOTES as kept using (select 'catalog:AS_CRM' as TOPIC, 'CUSTOMERS' as NAME, 'dfad613208ef8b8e3dd494c2da8026b691ad24e56bb2f9b5cdb1c4da4cdeffd9' as RECORD) as new on kept.TOPIC = new.TOPIC and kept.NAME = new.NAME when matched then update set RECORD = new.RECORD when not matched then insert (TOPIC, NAME, RECORD) values (new.TOPIC, new.NAME, new.RECORD);

-- privilege SELECT on VIEW MESH__CRM__CUSTOMERS.AS_CRM.CUSTOMERS to MESH__CRM__CUSTOMERS__READS_CRM: crm: grant customers/internal_use/2 of product:calls; service: grant customers/internal_use/3 of team:desk
grant select on view "MESH__CRM__CUSTOMERS"."AS_CRM"."CUSTOMERS" to role "MESH__CRM__CUSTOMERS__READS_CRM";

-- member MESH__CRM__CUSTOMERS__READS_CRM to ROLE MESH__DESK__CALLS__TEAM: crm: grant customers/internal_use/2 of product:calls; service: grant customers/internal_use/3 of team:desk
grant role "MESH__CRM__CUSTOMERS__READS_CRM" to role "MESH__DESK__CALLS__TEAM";

-- member MESH__CRM__CUSTOMERS__READS_CRM to ROLE DESK: crm: grant customers/internal_use/2 of product:calls; service: grant customers/internal_use/3 of team:desk
grant role "MESH__CRM__CUSTOMERS__READS_CRM" to role "DESK";

-- tag MESH__CRM__CUSTOMERS.CLASSIFICATION: product customers
create tag if not exists "MESH__CRM__CUSTOMERS"."MESH"."CLASSIFICATION" comment = 'Made by the mesh';

-- mask MESH__CRM__CUSTOMERS.MASK_VARCHAR: product customers: the tables show a column as its class says for others
create masking policy if not exists "MESH__CRM__CUSTOMERS"."MESH"."MASK_VARCHAR" as (VAL varchar) returns varchar -> case when invoker_role() = 'MESH' then VAL else case system$get_tag_on_current_column('"MESH__CRM__CUSTOMERS"."MESH"."CLASSIFICATION"') when 'public' then cast("VAL" as varchar) when 'internal' then cast("VAL" as varchar) when 'personal' then cast(CASE WHEN NOT "VAL" IS NULL THEN '***' END as varchar) when 'sensitive' then cast(CASE WHEN NOT "VAL" IS NULL THEN '***' END as varchar) else null end end comment = 'Made by the mesh (39e472d88b18)';

-- mask of a tag MESH__CRM__CUSTOMERS.MASK_VARCHAR: product customers: the tables show a column as its class says for others
alter tag "MESH__CRM__CUSTOMERS"."MESH"."CLASSIFICATION" set masking policy "MESH__CRM__CUSTOMERS"."MESH"."MASK_VARCHAR";

-- mask MESH__CRM__CUSTOMERS.MASK_BIGINT: product customers: the tables show a column as its class says for others
create masking policy if not exists "MESH__CRM__CUSTOMERS"."MESH"."MASK_BIGINT" as (VAL number) returns number -> case when invoker_role() = 'MESH' then VAL else case system$get_tag_on_current_column('"MESH__CRM__CUSTOMERS"."MESH"."CLASSIFICATION"') when 'public' then cast("VAL" as number) when 'internal' then cast("VAL" as number) when 'personal' then cast(NULL as number) when 'sensitive' then cast(NULL as number) else null end end comment = 'Made by the mesh (ccc6d34b77a3)';

-- mask of a tag MESH__CRM__CUSTOMERS.MASK_BIGINT: product customers: the tables show a column as its class says for others
alter tag "MESH__CRM__CUSTOMERS"."MESH"."CLASSIFICATION" set masking policy "MESH__CRM__CUSTOMERS"."MESH"."MASK_BIGINT";

-- mask MESH__CRM__CUSTOMERS.MASK_DOUBLE: product customers: the tables show a column as its class says for others
create masking policy if not exists "MESH__CRM__CUSTOMERS"."MESH"."MASK_DOUBLE" as (VAL float) returns float -> case when invoker_role() = 'MESH' then VAL else case system$get_tag_on_current_column('"MESH__CRM__CUSTOMERS"."MESH"."CLASSIFICATION"') when 'public' then cast("VAL" as float) when 'internal' then cast("VAL" as float) when 'personal' then cast(NULL as float) when 'sensitive' then cast(NULL as float) else null end end comment = 'Made by the mesh (72c924895233)';

-- mask of a tag MESH__CRM__CUSTOMERS.MASK_DOUBLE: product customers: the tables show a column as its class says for others
alter tag "MESH__CRM__CUSTOMERS"."MESH"."CLASSIFICATION" set masking policy "MESH__CRM__CUSTOMERS"."MESH"."MASK_DOUBLE";

-- mask MESH__CRM__CUSTOMERS.MASK_DATE: product customers: the tables show a column as its class says for others
create masking policy if not exists "MESH__CRM__CUSTOMERS"."MESH"."MASK_DATE" as (VAL date) returns date -> case when invoker_role() = 'MESH' then VAL else case system$get_tag_on_current_column('"MESH__CRM__CUSTOMERS"."MESH"."CLASSIFICATION"') when 'public' then cast("VAL" as date) when 'internal' then cast("VAL" as date) when 'personal' then cast(NULL as date) when 'sensitive' then cast(NULL as date) else null end end comment = 'Made by the mesh (836a099a43bd)';

-- mask of a tag MESH__CRM__CUSTOMERS.MASK_DATE: product customers: the tables show a column as its class says for others
alter tag "MESH__CRM__CUSTOMERS"."MESH"."CLASSIFICATION" set masking policy "MESH__CRM__CUSTOMERS"."MESH"."MASK_DATE";

-- mask MESH__CRM__CUSTOMERS.MASK_TIME: product customers: the tables show a column as its class says for others
create masking policy if not exists "MESH__CRM__CUSTOMERS"."MESH"."MASK_TIME" as (VAL time(6)) returns time(6) -> case when invoker_role() = 'MESH' then VAL else case system$get_tag_on_current_column('"MESH__CRM__CUSTOMERS"."MESH"."CLASSIFICATION"') when 'public' then cast("VAL" as time(6)) when 'internal' then cast("VAL" as time(6)) when 'personal' then cast(NULL as time(6)) when 'sensitive' then cast(NULL as time(6)) else null end end comment = 'Made by the mesh (d135a56617a7)';

-- mask of a tag MESH__CRM__CUSTOMERS.MASK_TIME: product customers: the tables show a column as its class says for others
alter tag "MESH__CRM__CUSTOMERS"."MESH"."CLASSIFICATION" set masking policy "MESH__CRM__CUSTOMERS"."MESH"."MASK_TIME";

-- mask MESH__CRM__CUSTOMERS.MASK_TIMESTAMP: product customers: the tables show a column as its class says for others
create masking policy if not exists "MESH__CRM__CUSTOMERS"."MESH"."MASK_TIMESTAMP" as (VAL timestamp_ntz(6)) returns timestamp_ntz(6) -> case when invoker_role() = 'MESH' then VAL else case system$get_tag_on_current_column('"MESH__CRM__CUSTOMERS"."MESH"."CLASSIFICATION"') when 'public' then cast("VAL" as timestamp_ntz(6)) when 'internal' then cast("VAL" as timestamp_ntz(6)) when 'personal' then cast(NULL as timestamp_ntz(6)) when 'sensitive' then cast(NULL as timestamp_ntz(6)) else null end end comment = 'Made by the mesh (b2016d8a06f2)';

-- mask of a tag MESH__CRM__CUSTOMERS.MASK_TIMESTAMP: product customers: the tables show a column as its class says for others
alter tag "MESH__CRM__CUSTOMERS"."MESH"."CLASSIFICATION" set masking policy "MESH__CRM__CUSTOMERS"."MESH"."MASK_TIMESTAMP";

-- mask MESH__CRM__CUSTOMERS.MASK_TIMESTAMPTZ: product customers: the tables show a column as its class says for others
create masking policy if not exists "MESH__CRM__CUSTOMERS"."MESH"."MASK_TIMESTAMPTZ" as (VAL timestamp_tz(6)) returns timestamp_tz(6) -> case when invoker_role() = 'MESH' then VAL else case system$get_tag_on_current_column('"MESH__CRM__CUSTOMERS"."MESH"."CLASSIFICATION"') when 'public' then cast("VAL" as timestamp_tz(6)) when 'internal' then cast("VAL" as timestamp_tz(6)) when 'personal' then cast(NULL as timestamp_tz(6)) when 'sensitive' then cast(NULL as timestamp_tz(6)) else null end end comment = 'Made by the mesh (c647364b0158)';

-- mask of a tag MESH__CRM__CUSTOMERS.MASK_TIMESTAMPTZ: product customers: the tables show a column as its class says for others
alter tag "MESH__CRM__CUSTOMERS"."MESH"."CLASSIFICATION" set masking policy "MESH__CRM__CUSTOMERS"."MESH"."MASK_TIMESTAMPTZ";

-- mask MESH__CRM__CUSTOMERS.MASK_BOOLEAN: product customers: the tables show a column as its class says for others
create masking policy if not exists "MESH__CRM__CUSTOMERS"."MESH"."MASK_BOOLEAN" as (VAL boolean) returns boolean -> case when invoker_role() = 'MESH' then VAL else case system$get_tag_on_current_column('"MESH__CRM__CUSTOMERS"."MESH"."CLASSIFICATION"') when 'public' then cast("VAL" as boolean) when 'internal' then cast("VAL" as boolean) when 'personal' then cast(NULL as boolean) when 'sensitive' then cast(NULL as boolean) else null end end comment = 'Made by the mesh (688372d7fb71)';

-- mask of a tag MESH__CRM__CUSTOMERS.MASK_BOOLEAN: product customers: the tables show a column as its class says for others
alter tag "MESH__CRM__CUSTOMERS"."MESH"."CLASSIFICATION" set masking policy "MESH__CRM__CUSTOMERS"."MESH"."MASK_BOOLEAN";

-- row policy MESH__CRM__CUSTOMERS.ROWS: product customers: a role sees only some rows, so the tables show none beside its views
create row access policy if not exists "MESH__CRM__CUSTOMERS"."MESH"."ROWS" as (VERSION varchar) returns boolean -> invoker_role() = 'MESH' comment = 'Made by the mesh (f36ff24a589e)';

-- filter of a table MESH__CRM__CUSTOMERS.CUSTOMERS: product customers: a role sees only some rows, so the tables show none beside its views
alter table "MESH__CRM__CUSTOMERS"."VERSIONS"."CUSTOMERS" add row access policy "MESH__CRM__CUSTOMERS"."MESH"."ROWS" on (_MESH_VERSION);

-- class of a column MESH__CRM__CUSTOMERS.CUSTOMERS.ID: product customers: its class is public
alter table "MESH__CRM__CUSTOMERS"."VERSIONS"."CUSTOMERS" modify column "ID" set tag "MESH__CRM__CUSTOMERS"."MESH"."CLASSIFICATION" = 'public';

-- class of a column MESH__CRM__CUSTOMERS.CUSTOMERS.REGION: product customers: its class is internal
alter table "MESH__CRM__CUSTOMERS"."VERSIONS"."CUSTOMERS" modify column "REGION" set tag "MESH__CRM__CUSTOMERS"."MESH"."CLASSIFICATION" = 'internal';

-- class of a column MESH__CRM__CUSTOMERS.CUSTOMERS.EMAIL: product customers: its class is personal
alter table "MESH__CRM__CUSTOMERS"."VERSIONS"."CUSTOMERS" modify column "EMAIL" set tag "MESH__CRM__CUSTOMERS"."MESH"."CLASSIFICATION" = 'personal';

-- class of a column MESH__CRM__CUSTOMERS.CUSTOMERS.Größe: product customers: its class is unclassified
alter table "MESH__CRM__CUSTOMERS"."VERSIONS"."CUSTOMERS" modify column "Größe" set tag "MESH__CRM__CUSTOMERS"."MESH"."CLASSIFICATION" = 'unclassified';
