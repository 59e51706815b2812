-- Take away what setup.sql and a trial made. What is to go is listed first, and then dropped by name, so that nothing else goes.
use role accountadmin;
show databases like 'MESH_TRIAL%\\_\\_%';
execute immediate $$
declare
  names resultset default (select "name" from table(result_scan(last_query_id())));
begin
  for row in names do
    execute immediate 'drop database "' || row."name" || '"';
  end for;
end;
$$;
show warehouses like 'MESH_TRIAL%\\_\\_%';
execute immediate $$
declare
  names resultset default (select "name" from table(result_scan(last_query_id())));
begin
  for row in names do
    execute immediate 'drop warehouse "' || row."name" || '"';
  end for;
end;
$$;
show resource monitors like 'MESH_TRIAL%\\_\\_%';
execute immediate $$
declare
  names resultset default (select "name" from table(result_scan(last_query_id())));
begin
  for row in names do
    execute immediate 'drop resource monitor "' || row."name" || '"';
  end for;
end;
$$;
show roles like 'MESH_TRIAL%\\_\\_%';
execute immediate $$
declare
  names resultset default (select "name" from table(result_scan(last_query_id())));
begin
  for row in names do
    execute immediate 'drop role "' || row."name" || '"';
  end for;
end;
$$;
drop user if exists mesh_trial;
drop warehouse if exists mesh_trial;
drop resource monitor if exists mesh_trial;
drop role if exists mesh_trial;
