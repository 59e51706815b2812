{# A schema is used as it is named: `internal`, not `<target schema>_internal`. An analyst's database has one for each product. #}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {%- set schema = (custom_schema_name or target.schema) | trim -%}
    {{ node.fqn[2] ~ '__' ~ schema if target.name == 'analyst' and node.fqn | length > 3 else schema }}
{%- endmacro %}
