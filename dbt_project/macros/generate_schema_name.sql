{# A schema is used as it is named: `internal`, not `<target schema>_internal`. #}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ (custom_schema_name or target.schema) | trim }}
{%- endmacro %}
