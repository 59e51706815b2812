{% macro shop() %}
{{ source('inputs', 'shop') }}
{% endmacro %}
