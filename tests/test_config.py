"""What somebody is told who has written a settings file with faults."""

from ipaddress import IPv6Address
from pathlib import Path

import pytest

from callwright.config import SettingsFault, read_settings


def refused(folder: Path, text: str | bytes) -> list[str]:
    file = folder / "callwright.toml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(SettingsFault) as told:
        read_settings(file)
    return str(told.value).replace(f"{file}", "it").splitlines()


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('port = "x"', "port: a whole number is needed"),
        ("port = 5.5", "port: a whole number is needed"),
        ("port = -1", "port: at least 0 is needed"),
        ("port = 65536", "port: at most 65535 is needed"),
        ("prot = 5060", "prot: there is no such setting"),
        ('host = "sip.example.net"', "host: an IPv4 address or an IPv6 address is needed"),
        ("keep_alive = [1]", "keep_alive: a number is needed"),
        ("requests_per_source = 0", "requests_per_source: more than 0 is needed"),
        ("user_agent = 5", 'user_agent: a text in quotes ("…") is needed'),
        ('codecs = ["PCMA", "GSM"]', "codecs[1]: 'PCMA', 'PCMU', 'G722' or 'opus' is needed"),
        ("codecs = []", "codecs: a list of at least 1 is needed"),
        (
            "rtp_ports = [32767, 16384]",
            "rtp_ports: an even port and the next one are needed from the first to the last",
        ),
        (
            "rtp_ports = [16385, 16386]",
            "rtp_ports: an even port and the next one are needed from the first to the last",
        ),
        ("rtp_ports = [16384]", "rtp_ports: a longer list is needed"),
        ("tls_key = true", 'tls_key: a path in quotes ("…") is needed'),
        ('realm = ""', "realm: a text of the form ^[A-Za-z0-9_. -]{1,64}$ is needed"),
    ],
)
def test_a_wrong_setting_is_told_by_its_line_and_name(
    tmp_path: Path, line: str, reason: str
) -> None:
    assert refused(tmp_path, f"[http]\nport = 0\n\n[sip]\n{line}\n") == [f"it:5: sip.{reason}"]


VALUES = "a text in quotes, a number, true, false or a list"


@pytest.mark.parametrize(
    ("text", "reasons"),
    [
        (
            '[media]\nworkers = "many"\n',
            ["it:2: media.workers: a whole number or 'auto' is needed"],
        ),
        ("[media]\nworkers = 65\n", ["it:2: media.workers: at most 64 or 'auto' is needed"]),
        (
            '[prompts]\nconfirm_by_key = "..."\n',
            [
                (
                    "it:2: prompts.confirm_by_key: a text needs a letter or digit: "
                    "there is nothing to say in this"
                )
            ],
        ),
        ("api = 5\n", ["it:1: api: a table is needed"]),
        (
            "[http]\nupload_limit = 1073741825\n",
            ["it:2: http.upload_limit: at most 1073741824 is needed"],
        ),
        ("[sipp]\nport = 1\n", ["it:1: sipp: there is no such setting"]),
        ('[api]\nlenient = "so so"\n', ["it:2: api.lenient: true or false is needed"]),
        (
            'engine = "asterisk"\n\n[http]\nprot = 1\nport = "x"\n',
            [
                "it:1: engine: 'sip' or 'simulated' is needed",
                "it:4: http.prot: there is no such setting",
                "it:5: http.port: a whole number is needed",
            ],
        ),
        ("[sip]\n\n[api\n", ["it:3: not TOML: a ] is missing at the end of the table's name"]),
        (
            "a = [",
            ["it:1: not TOML: a value is missing: " + VALUES],
        ),
        ("a = " + "[" * 100_000, ["it: nested too deeply"]),
        (b"\xef\xbb\xbf[api]\nprot = 1\n", ["it:2: api.prot: there is no such setting"]),
        (b"\xff = 1\n", ["it: not UTF-8: let the editor save it as that"]),
    ],
)
def test_everything_wrong_is_told_in_its_order(
    tmp_path: Path, text: str | bytes, reasons: list[str]
) -> None:
    assert refused(tmp_path, text) == reasons


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsFault, match=r"none.toml: No such file or directory$"):
        read_settings(tmp_path / "none.toml")


def test_what_is_right_is_read(tmp_path: Path) -> None:
    file = tmp_path / "callwright.toml"
    file.write_text('data = "there"\n[sip]\nhost = "::1"\ntls_certificate = "own.pem"\n', "utf-8")
    settings = read_settings(file)
    assert settings.data == tmp_path / "there"
    assert settings.sip.host == IPv6Address("::1")
    assert settings.sip.tls_certificate == tmp_path / "own.pem"
