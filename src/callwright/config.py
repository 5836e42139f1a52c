"""Settings of the service: what they are called, what they may be, where they are read from.

One TOML file, ``callwright.toml``; every setting has a default that is safe on a machine one does
not know. What an account owns (numbers, employees, trunks) is not here but in the directory.
"""

import tomllib
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from callwright.config_faults import told
from callwright.spoken_text import says_something
from callwright.toml_lines import NOT_UTF_8, line_of_refusal


class SettingsFault(Exception):
    """The settings file cannot be used.

    The message has a line for each fault: the file and its line, the setting, the reason.
    """


class StartFault(Exception):
    """The service cannot start as it is set up. The message names the setting."""


class SettingsSection(BaseModel):
    # What stands under a field is read by scripts/generate_settings_docs.py alone: pydantic would
    # look for it in this file at the start of every command.
    model_config = ConfigDict(extra="forbid", frozen=True)


Port = Annotated[int, Field(ge=1, le=65535)]


def _with_room_for_a_leg(ports: tuple[int, int]) -> tuple[int, int]:
    first, last = ports
    if first + first % 2 + 1 > last:
        raise ValueError("an even port and the next one are needed from the first to the last")
    return ports


PortRange = Annotated[tuple[Port, Port], AfterValidator(_with_room_for_a_leg)]


def _sayable(text: str) -> str:
    if not says_something(text):
        raise ValueError("a text needs a letter or digit: there is nothing to say in this")
    return text


PromptText = Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_sayable)]
Seconds = Annotated[float, Field(gt=0, le=86400)]


class HttpSettings(SettingsSection):
    host: str = "127.0.0.1"
    """Address the API listens on, of IPv4 or IPv6; `::` is all of both. Put a TLS proxy in front
    before opening it to a network."""
    port: Annotated[int, Field(ge=0, le=65535)] = 8080
    "Port the API listens on; 0 takes a free one."
    body_limit: Annotated[int, Field(ge=1024, le=1 << 20)] = 64 * 1024
    "Largest request body in bytes; a larger one is answered 413."
    trusted_proxies: list[IPv4Address | IPv6Address] = []
    "Proxies whose X-Forwarded-For is believed when the client's address is checked."
    upload_limit: Annotated[int, Field(ge=1024, le=1 << 30)] = 64 * 1024 * 1024
    "Largest request with a media file, `POST /media`, in bytes; a larger one is answered 413."
    public_url: Annotated[str, Field(pattern=r"^https?://[^\s/?#]+(/[^\s?#]*)?$")] | None = None
    "Where clients reach the API, for links; unset: the address it listens on, without TLS."
    links_last: Annotated[int, Field(ge=60, le=315_360_000)] = 604_800
    "Seconds for which a link to a recording or a media file holds at least."
    recording_addresses: bool = True
    """Whether recordings are also at the addresses that clients of the published API compose:
    `/system/media/talk/<session>/<record>/` and the like. They hold as long as the recording is
    kept, for whoever knows its id."""


class ApiSettings(SettingsSection):
    lenient: bool = False
    'Accept and normalise "25" for 25, "true" for true, and a leading + or 8 in Russian numbers.'
    points_per_minute: Annotated[int, Field(ge=1)] = 250
    "Successful requests an account may make in a minute."
    points_per_day: Annotated[int, Field(ge=1)] = 10_000
    "Successful requests an account may make in a day."
    default_direction: Literal["in", "out"] = "in"
    "Marks a session whose request does not say its direction."
    streams_at_most: Annotated[int, Field(ge=1, le=100)] = 10
    "Streams of events (`GET /events`) an account may listen to at once."
    tts_length_limit: Annotated[int, Field(ge=1, le=10_000)] = 500
    "Longest text to be spoken, in characters."


class CallSettings(SettingsSection):
    dial_time: Annotated[float, Field(ge=1, le=120)] = 30.0
    "Seconds a contact, an operator or a bare number is rung."
    talk_at_most: Seconds = 7200.0
    "Seconds two parties may talk before the session is ended."
    parallel_at_most: Annotated[int, Field(ge=1)] = 200
    "Live sessions per account; one more ends at once with `no_resources`."
    phones_call_out: bool = False
    """Whether employees may call numbers outside from phones that register, and hand calls over to
    them, as far as the account's `directions` go. Colleagues they may always: phones that register
    or have a `contact`, and active phones that the directory file names; a number only the Data API
    has given counts as outside. Where it is false, `calls_out` in the directory file lets single
    employees."""
    drain_within: Annotated[float, Field(ge=0, le=7200)] = 10.0
    "Seconds live calls may go on after SIGTERM before they are hung up; a second signal cuts it."


class PromptSettings(SettingsSection):
    language: Literal["ru", "en"] = "ru"
    "Language of what the service itself says, where no text is set."
    confirm_by_key: PromptText | None = None
    "Said to an operator who takes the call by a key; `{key}` becomes the key. Unset: a text."
    confirm_by_any_key: PromptText | None = None
    "The same where any key will do."


class SipSettings(SettingsSection):
    host: IPv4Address | IPv6Address = IPv4Address("127.0.0.1")
    "Address SIP and RTP are sent from and received on, and told to the far end; see `advertise`."
    port: Annotated[int, Field(ge=0, le=65535)] = 5060
    "UDP and TCP port of SIP; 0 takes a free one."
    tls_certificate: Path | None = None
    "PEM file of our certificate and its chain; with one, SIP is also served over TLS."
    tls_key: Path | None = None
    "PEM file of the certificate's key; unset: it is in the file of the certificate."
    tls_port: Annotated[int, Field(ge=0, le=65535)] = 5061
    "TCP port of SIP over TLS; 0 takes a free one."
    advertise: IPv4Address | IPv6Address | None = None
    "Address written into SIP and SDP where it differs from `host` (behind a 1:1 NAT)."
    requests_per_source: Annotated[float, Field(gt=0, le=10_000)] = 20.0
    """Requests outside of calls that one address may make per second, five times as many at once;
    what is more is dropped."""
    rtp_ports: PortRange = (16384, 32767)
    "Range of UDP ports for RTP and RTCP, both ends included; two ports per leg."
    codecs: Annotated[list[Literal["PCMA", "PCMU", "G722", "opus"]], Field(min_length=1)] = [
        "PCMA",
        "PCMU",
        "G722",
        "opus",
    ]
    """Codecs that are offered and taken, best first. To an offer of others, the first of theirs
    that is here is answered. Legs that differ are transcoded, at several times the cost of a call:
    leave out G722 and opus where the far ends are not wideband phones."""
    user_agent: str = "callwright"
    "What we call ourselves in the User-Agent header of SIP."
    session_expires: Annotated[int, Field(ge=90, le=86_400)] = 1800
    """Seconds a call lives without a refresh (RFC 4028). We refresh at half of it, also phones that
    know no session timers, so that a dead one is noticed."""
    realm: Annotated[str, Field(pattern=r"^[A-Za-z0-9_. -]{1,64}$")] = "callwright"
    "Realm that phones prove their passwords for; some want it to be their domain."
    digests: Annotated[list[Literal["SHA-256", "MD5"]], Field(min_length=1)] = ["SHA-256", "MD5"]
    """Digests that phones are offered, the best first (RFC 8760). Many phones know MD5 alone, and
    some of them give up when they are shown another one beside it: for those, `["MD5"]`."""
    keep_alive: Annotated[float, Field(ge=5, le=300)] = 30.0
    "Seconds between questions (OPTIONS) to registered phones behind a NAT, which keep it open."


class MediaSettings(SettingsSection):
    workers: Annotated[int, Field(ge=0, le=64)] | Literal["auto"] = 0
    "Processes that carry audio; 0: the service itself; `auto`: one a core, one less from three on."
    kernel_relay: Literal["auto", "on", "off"] = "auto"
    """Whether the kernel relays talks that need nothing else, for a fraction of the processor time;
    see [kernel-relay.md](kernel-relay.md). `auto`: where it can; `on`: where it cannot, nothing
    starts."""
    lost_after: Seconds = 30.0
    "Seconds without RTP and RTCP after which a talking leg is considered gone."
    file_length_at_most: Seconds = 600.0
    "Longest media file that is taken, in seconds."


class SpeechSettings(SettingsSection):
    voice: str | None = None
    "espeak-ng voice for every text (`ru`, `en-us`, …); unset: found from the text."
    within: Seconds = 10.0
    "Seconds one synthesis may take; then the synthesiser is restarted and the message left out."


class HistorySettings(SettingsSection):
    sessions_kept: Annotated[int, Field(ge=1, le=36_500)] = 730
    """Days after their beginning that sessions are kept, with their legs, events, tags and
    recordings, files included. Calls that are up stay."""
    requests_kept: Annotated[int, Field(ge=1, le=36_500)] = 30
    "Days that the log of requests is kept."


class HookSettings(SettingsSection):
    allow_private: bool = False
    """Whether URLs of scenarios may lead into private networks. Who writes the directory file can
    then reach what this machine reaches."""


class WebhookSettings(SettingsSection):
    allow_private: bool = False
    """Whether webhooks may lead into private networks. Who may set them up can then reach what this
    machine reaches."""
    within: Seconds = 10.0
    "Seconds a receiver has to answer."
    parallel: Annotated[int, Field(ge=1, le=1000)] = 32
    "Requests to all webhooks that are under way at once."
    parallel_per_webhook: Annotated[int, Field(ge=1, le=100)] = 4
    "Of them, to one webhook: as many sessions are told of at once, each in its order."


class PriceSettings(SettingsSection):
    direction: Literal["in", "out"] = "out"
    prefix: Annotated[str, Field(pattern=r"^[0-9]{0,15}$")] = ""
    per_minute: Annotated[float, Field(ge=0, le=1e6)]
    step: Annotated[int, Field(ge=1, le=3600)] = 60


class PricesSettings(SettingsSection):
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] | None = None
    "ISO 4217 letters, such as `RUB`: the `currency` of get.financial_call_legs_report."
    prices: Annotated[list[PriceSettings], Field(max_length=100_000)] = []
    """Tables `[[prices.prices]]`: `direction` (`out`, or `in`), the digits that the other's number
    begins with (`prefix`; of several the longest holds, none: every number), `per_minute`, and the
    seconds a talk is rounded up to (`step`, 60). A call has the price that holds when it begins;
    without one it is free, as are phones that are no E.164 number."""


class MetricsSettings(SettingsSection):
    networks: list[IPv4Network | IPv6Network] = [
        IPv4Network("127.0.0.0/8"),
        IPv6Network("::1/128"),
    ]
    "Networks from which `GET /metrics` may be read; empty: nothing is measured."


class TraceSettings(SettingsSection):
    endpoint: str | None = None
    """Where traces of calls are sent: OTLP over HTTP, as `http://127.0.0.1:4318/v1/traces`. Unset:
    nowhere. Needs `callwright[otel]`."""


class Settings(SettingsSection):
    data: Path = Path("callwright-data")
    "Folder of the database, media files and the speech cache; relative to the settings file."
    database: str | None = None
    """`postgresql://user:password@host/name`; unset: SQLite in the data folder. See
    [PostgreSQL](postgresql.md)."""
    engine: Literal["sip", "simulated"] = "sip"
    "What carries calls: SIP, or far ends that are simulated, to develop against."
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    "`info` tells each call in a few lines, without full numbers; `debug` the protocols too."
    log_format: Literal["text", "json"] = "text"
    "`json`: one object a line, with the session, the leg and the account as fields."
    http: HttpSettings = HttpSettings()
    api: ApiSettings = ApiSettings()
    calls: CallSettings = CallSettings()
    sip: SipSettings = SipSettings()
    media: MediaSettings = MediaSettings()
    speech: SpeechSettings = SpeechSettings()
    history: HistorySettings = HistorySettings()
    hooks: HookSettings = HookSettings()
    webhooks: WebhookSettings = WebhookSettings()
    prices: PricesSettings = PricesSettings()
    prompts: PromptSettings = PromptSettings()
    metrics: MetricsSettings = MetricsSettings()
    traces: TraceSettings = TraceSettings()

    @property
    def database_url(self) -> str:
        return self.database or f"sqlite+aiosqlite:///{self.data / 'callwright.db'}"


def read_settings(file: Path | None) -> Settings:
    """Read ``file``, or give the defaults for None. Raises `SettingsFault` with every fault."""
    if file is None:
        return Settings()
    try:
        text = file.read_text("utf-8-sig")
    except OSError as fault:
        raise SettingsFault(f"{file}: {fault.strerror}") from fault
    except UnicodeDecodeError as fault:
        raise SettingsFault(f"{file}: {NOT_UTF_8}") from fault
    try:
        values = tomllib.loads(text)
    except RecursionError as fault:
        raise SettingsFault(f"{file}: nested too deeply") from fault
    except ValueError as fault:  # also of a number with too many digits
        line, reason = line_of_refusal(text, fault)
        raise SettingsFault(f"{file}:{line}: not TOML: {reason}") from fault
    try:
        settings = Settings.model_validate(values)
    except ValidationError as fault:
        found = told(text, values, fault)
        raise SettingsFault(
            "\n".join(f"{file}:{line}: {reason}" for line, reason in found)
        ) from None
    sip = settings.sip
    files = {
        name: file.parent / path
        for name in ("tls_certificate", "tls_key")
        if (path := getattr(sip, name)) is not None
    }
    return settings.model_copy(
        update={"data": file.parent / settings.data, "sip": sip.model_copy(update=files)}
    )
