-- Make an account ready for a trial of the platform: a role that may create databases, a small warehouse that stops by itself,
-- a limit of credits, and a user that signs in with a key pair. Run it once as ACCOUNTADMIN, with your public key in place of <KEY>.
use role accountadmin;
create role if not exists mesh_trial;
create warehouse if not exists mesh_trial
  warehouse_size = xsmall auto_suspend = 60 auto_resume = true initially_suspended = true
  statement_timeout_in_seconds = 600;
create resource monitor if not exists mesh_trial
  with credit_quota = 3 triggers on 80 percent do notify on 100 percent do suspend_immediate;
alter warehouse mesh_trial set resource_monitor = mesh_trial;
grant usage, operate on warehouse mesh_trial to role mesh_trial;
grant create database on account to role mesh_trial;
create user if not exists mesh_trial
  type = service default_role = mesh_trial default_warehouse = mesh_trial rsa_public_key = '<KEY>';
grant role mesh_trial to user mesh_trial;
grant role mesh_trial to role sysadmin;
-- What tests of roles and policies need beside.
grant create role, create warehouse, apply masking policy, apply row access policy, apply tag on account to role mesh_trial;
grant imported privileges on database snowflake to role mesh_trial;
