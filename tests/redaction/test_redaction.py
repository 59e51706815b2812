"""What a text looks like without the secrets that are in it."""

from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_resources.redaction.credentials import ORDINARY
from platform_resources.redaction.redaction import Mask, environment_secrets, mask, masked, parts, shown_url, url_secrets


@pytest.mark.parametrize(
    ("text", "secrets", "shown"),
    [
        ("no secret at all", [], "no secret at all"),
        ("the token hunter2 was refused", ["hunter2"], "the token *** was refused"),
        ("the token HUNTER2 was refused", ["hunter2"], "the token *** was refused"),
        ("url: /a%2fb%20c/x", ["a/b c"], "url: /***/x"),
        ("url: /a/b%20c/x", ["a/b c"], "url: /***/x"),
        ("q=a%2Fb+c", ["a/b c"], "q=***"),
        ("decoded: p@ss", ["p%40ss"], "decoded: ***"),
        ("b'p\\xe4ss\\'w'", ["pässw", "päss'w"], "b'p\\xe4ss\\'w'"),
        ('{"key": "a\\"b c"}', ['a"b c'], '{"key": "***"}'),
        ("<p>a&lt;b c</p>", ["a<b c"], "<p>***</p>"),
        ("long first: tokentoken", ["token", "tokentoken"], "long first: ***"),
        ("port 25 of 2500", ["25"], "port *** of 2500"),
        ("every a in a text", ["a"], "every *** in *** text"),
        ("nothing is hidden by nothing", [""], "nothing is hidden by nothing"),
        ("a dot is a dot: abXcd", ["ab.cd"], "a dot is a dot: abXcd"),
    ],
)
def test_secrets_are_hidden_however_they_are_written(text, secrets, shown):
    assert masked(text, secrets) == shown


@given(st.text(min_size=3, max_size=20).filter(lambda text: text not in "***"), st.text(max_size=20), st.text(max_size=20))
def test_a_secret_is_never_left_in_a_text(secret, before, after):
    text = masked(f"{before}{secret}{after}", [secret])
    assert secret not in text.replace("***", "")


def test_of_a_whole_url_in_a_variable_each_part_is_a_secret():
    found = parts("https://hooks.slack.com/services/T0ABC/B1DEF/xyzXYZ123")
    assert found == {"https://hooks.slack.com/services/T0ABC/B1DEF/xyzXYZ123", "hooks.slack.com", "services", "T0ABC", "B1DEF", "xyzXYZ123"}


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("mailto://mesh:pa%2Fss@mail.example.com:25/?from=mesh@example.com", {"pa%2Fss"}),
        ("mailto://onlypassword@mail.example.com/?user=mesh", {"onlypassword"}),
        ("mailto://mail.example.com/?user=mesh&pass=p1&from=a@b.de", {"p1"}),
        ("json://host/path", set()),
        ("not a url at all", set()),
    ],
)
def test_of_a_known_url_passwords_are_secrets(url, found):
    assert url_secrets(url) == found


@pytest.mark.parametrize(
    ("template", "shown"),
    [
        ("slack://${TOKEN}/#alerts", "slack://${TOKEN}/#alerts"),
        ("json://user:${PASSWORD}@host/", "json://user:${PASSWORD}@host/"),
        ("json://user:written@host/", "json://user:***@host/"),
        ("${WHOLE}", "${WHOLE}"),
    ],
)
def test_a_url_is_shown_as_it_is_written_but_for_passwords(template, shown):
    assert shown_url(template) == shown


S = "S3cr3tPa55w0rd"


@pytest.mark.parametrize(
    "text",
    [
        f"connection to postgresql://crm_reader:{S}@db.example.com:5432/crm failed: timeout; password='{S}'",
        f"could not connect to mysql+pymysql://root:p@{S}/x@db/crm",
        f"redis://:{S}@cache:6379/0 refused",
        f"https://{S}@api.example.com/v1 answered 401",
        f"snowflake://reader:{S}@acme.eu-west-1/db?warehouse=w",
        f"crm:{S}@tcp(db:3306)/crm: refused",
        f"jdbc:oracle:thin:crm/{S}@//db:1521/x",
        f"jdbc:postgresql://db/crm?user=crm&password={S}&ssl=true",
        f"FATAL: host=db user=crm password={S} dbname=crm",
        f"Driver={{ODBC 18}};Server=db;UID=crm;PWD={S};Encrypt=yes",
        f"Driver={{ODBC 18}};Server=db;UID=crm;PWD={{{S};x}};Encrypt=yes",
        f"DefaultEndpointsProtocol=https;AccountName=a;AccountKey={S}==;EndpointSuffix=core.windows.net",
        f"Endpoint=sb://x/;SharedAccessKeyName=n;SharedAccessKey={S}=",
        f'{{"user": "crm", "password": "{S}"}}',
        f'{{"user": "crm", "passw\u006frd" : "{S}\\"x"}}',
        f'"{{\\"password\\": \\"{S}\\"}}"',
        f"{{'user': 'crm', 'password': '{S}', 'port': 5432}}",
        f"{{'client_secret': b'{S}'}}",
        f"[('user', 'crm'), ('password', '{S}')]",
        f"password: {S}",
        f"PASSWORD = {S}",
        f"db_password=>{S}",
        f"Config(user='crm', password='{S}')",
        f"Config(user='crm', api_key='{S}')",
        f"CREATE SECRET (TYPE s3, KEY_ID 'me', SECRET '{S}')",
        f"alter user crm with password '{S}'",
        f"curl --password {S} failed",
        f"psql --db-password={S} failed",
        f"GET https://api.example.com/orders?page=2&token={S} answered 500",
        f"GET https://api.example.com/orders?api_key={S}&page=2",
        f"https://a.blob.core.windows.net/c/f?sv=2024&sig={S}%3D&se=2026",
        f"https://s3.amazonaws.com/b/k?X-Amz-Credential={S}&X-Amz-Signature={S}",
        f"HTTP 401: Authorization: Bearer {S}",
        f"headers={{'Authorization': 'Bearer {S}', 'Accept': '*/*'}}",
        f"headers={{'authorization': 'Basic {S}=='}}",
        f"Headers([('authorization', 'Token {S}')])",
        f"x-api-key: {S}",
        f"X-Auth-Token: {S}",
        f"sent bearer {S}",
        f"Cookie: session={S}; path=/",
        f"aws_access_key_id={S} aws_secret_access_key={S}/x+y",
        f"access_token={S}",
        f"private_key_passphrase: {S}",
        f"-----BEGIN RSA PRIVATE KEY-----\nMIIE{S}\nabc\n-----END RSA PRIVATE KEY-----",
        f"key '-----BEGIN PRIVATE KEY-----\\nMIIE{S}\\n",
        f"https://hooks.slack.com/services/T0ABC/B1DEF/{S}",
        f"ghp_{S}abcdef is no token of this organisation",
        f"refused eyJhbGciOi{S}.eyJzdWIiOi{S}.{S}",
        f"password='{S}' for crm: {S} was refused",
        f"token={S}",
    ],
)
def test_what_looks_like_a_credential_is_hidden_without_being_known(text):
    shown = mask(text)
    assert S not in shown and "***" in shown
    assert mask(shown) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://crm:hunter2@db:5432/crm failed", "postgresql://crm:***@db:5432/crm failed"),
        ("password='hunter2' was refused", "password='***' was refused"),
        ('{"password": "hunter2", "port": 1}', '{"password": "***", "port": 1}'),
        ("GET https://x.example.com/o?token=hunter2&page=2: 500", "GET https://x.example.com/o?token=***&page=2: 500"),
        ("Authorization: Bearer hunter2", "Authorization: Bearer ***"),
        ("password=a; a table", "password=***; a table"),
        ("password=x1 and hunter2: password=hunter2", "password=*** and ***: password=***"),
    ],
)
def test_the_rest_of_the_text_stays(text, shown):
    assert mask(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        'IO Error: Cannot open file "landing/orders.csv": No such file or directory',
        "Parser Error: syntax error at or near token: select, line 3",
        'FATAL: password authentication failed for user "crm"',
        "password: is required",
        "password is missing",
        "ERROR: secret 'lake' not found",
        "Done. PASS=3 WARN=0 ERROR=1 SKIP=2 TOTAL=6",
        "could not connect to http://db.example.com:8080/path?mail=ada@example.com",
        "https://api.example.com/v1/orders?page=2 answered 500",
        "primary_key=order_id is not unique; key=3",
        "max_tokens=500, tokens: 17",
        "the server wants Basic authentication, or bearer authentication",
        "mailto:ada@example.com",
        "write sqlite:///FILE or postgresql+psycopg2://USER:PASSWORD@HOST/DATABASE",
        'Duplicate key "id: 1" violates primary key constraint',
        "1 of 2 OK created sql table model internal.orders ................ [OK in 0.05s]",
        "password=None",
        "secret=false",
        "use_ssl=true; port=5432",
        "token = null",
        "orders: price > 0 failed in 3 of 200 rows; 99 % promised",
        "2026-11-28 10:00:00 author: ada",
    ],
)
def test_a_message_without_a_credential_stays_as_it_is(text):
    assert mask(text) == text


@pytest.mark.parametrize(
    ("name", "value", "named", "hidden"),
    [
        ("CRM_PASSWORD", "hunter2", False, True),
        ("SNOWFLAKE_PRIVATE_KEY", "MIIEvQIBADAN", False, True),
        ("PGPASSWORD", "hunter2", False, True),
        ("CRM_LOGIN", "hunter2", True, True),
        ("CRM_LOGIN", "hunter2", False, False),
        ("CRM_PASSWORD", "a", False, False),
        ("CRM_PASSWORD", "secret", False, False),
        ("CRM_HOST", "1", True, False),
        ("LANDING", "/data/landing", True, False),
        ("CRM_KEY", "/data/landing", False, True),
        ("CRM_API", "https://api.example.com/v1", True, False),
        ("HOME", "/home/somebody", True, False),
        ("MESH_MEMORY_LIMIT", "4000 MiB", True, False),
        ("MONKEY", "hunter2", False, False),
    ],
)
def test_which_values_of_the_environment_are_hidden(name, value, named, hidden):
    secrets = environment_secrets({name: value}, {name} if named else set())
    assert (f"<{value}>" not in Mask(secrets)(f"<{value}> was refused")) == hidden


def test_of_an_address_in_the_environment_the_password_is_hidden_also_where_it_is_escaped():
    told = Mask(environment_secrets({"CRM_API": "postgresql://crm:p%40ss/w0rd@db/crm"}, set()))
    assert told("p%40ss/w0rd, p@ss/w0rd, p%40ss%2Fw0rd") == "***, ***, ***"


@given(
    st.text(alphabet=st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=6, max_size=30).filter(
        lambda text: not text.isspace()
    )
)
def test_a_value_of_the_environment_never_gets_out_however_it_is_written(value):
    hide = Mask(environment_secrets({"CRM_PASSWORD": value}, set()))
    for written in (value.strip(), quote(value.strip()), quote_plus(value.strip()), repr(value.strip())):
        if len(value.strip()) >= 6 and value.strip().lower() not in ORDINARY:
            assert value.strip() not in hide(f"<{written}>").replace("***", "")
