-- Take away what setup.sql and a trial made. The first statement lists the databases; each is dropped by name, so that nothing else goes.
use role accountadmin;
show databases like 'MESH_TRIAL\\_\\_%';
execute immediate $$
declare
  names resultset default (select "name" from table(result_scan(last_query_id())));
begin
  for row in names do
    execute immediate 'drop database "' || row."name" || '"';
  end for;
end;
$$;
drop user if exists mesh_trial;
drop warehouse if exists mesh_trial;
drop resource monitor if exists mesh_trial;
drop role if exists mesh_trial;
