"""Settings from the environment, `.env` files and systemd credentials."""

import contextlib
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listener.domain.errors import ConfigError
from listener.settings import Settings, load_settings


def write(path: Path, text: str | bytes, mode: int = 0o600) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    path.chmod(mode)
    return path


def secrets(settings: Settings) -> set[str]:
    return {secret.get_secret_value() for secret in settings.secrets}


# --- where things are


def test_with_nothing_said_all_is_in_the_working_folder(tmp_path: Path) -> None:
    settings = load_settings({}, folder=tmp_path)
    assert settings.rules == tmp_path / "rules.yaml"
    assert settings.database == f"sqlite:///{tmp_path}/var/listener.db"
    assert (settings.log_format, settings.log_level, settings.warnings) == ("auto", "info", ())


def test_the_environment_of_the_process_is_the_default(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LISTENER_RULES", "team/rules.yaml")
    settings = load_settings()
    assert settings.rules == Path("team/rules.yaml")
    assert settings.env["LISTENER_RULES"] == "team/rules.yaml"


def test_the_database_lies_beside_the_rules(tmp_path: Path) -> None:
    settings = load_settings({"LISTENER_RULES": "team/rules.yaml"}, folder=tmp_path)
    assert settings.database == f"sqlite:///{tmp_path}/team/var/listener.db"


def test_under_systemd_the_database_lies_in_the_state_directory(tmp_path: Path) -> None:
    settings = load_settings({"STATE_DIRECTORY": "/var/lib/listener:/var/lib/other"}, folder=tmp_path)
    assert settings.database == "sqlite:////var/lib/listener/listener.db"


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("sqlite:///data/x.db", "sqlite:///{home}/data/x.db"),
        ("sqlite:////srv/x.db", "sqlite:////srv/x.db"),
        ("sqlite://", "sqlite://"),
        ("sqlite:///", "sqlite:///"),
        ("sqlite:///:memory:", "sqlite:///:memory:"),
        ("postgresql+psycopg://db.example/listener", "postgresql+psycopg://db.example/listener"),
        ("nonsense", "nonsense"),
    ],
)
def test_a_relative_path_of_sqlite_counts_from_the_rules(said: str, meant: str, tmp_path: Path) -> None:
    """Whether an address can be used is the store's to say; the settings only find the file."""
    settings = load_settings({"LISTENER_DB": said}, folder=tmp_path)
    assert settings.database == meant.format(home=tmp_path)


# --- who wins


def test_the_environment_wins_over_credentials_these_over_env_files_the_one_beside_the_rules_first(
    tmp_path: Path,
) -> None:
    write(tmp_path / ".env", "LISTENER_RULES=team/rules.yaml\nA=cwd\nB=cwd\nC=cwd\nD=cwd\n")
    write(tmp_path / "team" / ".env", "A=team\nB=team\nC=team\n")
    write(tmp_path / "creds" / "A", "cred\n")
    write(tmp_path / "creds" / "B", "cred")
    write(tmp_path / "creds" / "not a name", "x")
    environ = {"A": "env", "CREDENTIALS_DIRECTORY": str(tmp_path / "creds")}
    settings = load_settings(environ, folder=tmp_path)
    assert settings.rules == tmp_path / "team" / "rules.yaml"
    assert [settings.env[name] for name in "ABCD"] == ["env", "cred", "team", "cwd"]
    assert "not a name" not in settings.env


def test_one_env_file_in_both_roles_is_read_once(tmp_path: Path) -> None:
    write(tmp_path / ".env", "A=1\n", 0o644)
    settings = load_settings({"LISTENER_RULES": str(tmp_path / "rules.yaml")}, folder=tmp_path)
    assert len(settings.warnings) == 1


def test_an_unreadable_credential_is_an_error_that_does_not_show_it(tmp_path: Path) -> None:
    write(tmp_path / "creds" / "TOKEN", b"s3cr3t\xff")
    with pytest.raises(ConfigError, match="a credential cannot be read as UTF-8 text; see LoadCredential=") as raised:
        load_settings({"CREDENTIALS_DIRECTORY": str(tmp_path / "creds")}, folder=tmp_path)
    assert "s3cr3t" not in str(raised.value)


# --- what a .env file may look like


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("X=plain", "plain"),
        ("X=plain\r\n", "plain"),
        ("\ufeffX=plain\n", "plain"),
        ("export X=plain\n", "plain"),
        ("X = spaced \n", "spaced"),
        ("X='single # no comment'\n", "single # no comment"),
        ('X="double"\r\n', "double"),
        ('X="a\\nb"\n', "a\nb"),
        ("X='two\r\nlines'\n", "two\nlines"),
        ("X=value # a comment\n", "value"),
        ("X=a#b\n", "a#b"),
        ("# first\n\nX=last\n", "last"),
        ("X=pa$$w0rd${HOME}\n", "pa$$w0rd${HOME}"),
        ("X=https://hooks.example/a?b=c&d=e\n", "https://hooks.example/a?b=c&d=e"),
        ("X=\n", ""),
        ("X=''\n", ""),
        ("X=비밀\n", "비밀"),
        ("A=1\rX=old mac\r", "old mac"),
    ],
)
def test_env_files_are_read_as_people_write_them(text: str, value: str, tmp_path: Path) -> None:
    write(tmp_path / ".env", text)
    assert load_settings({}, folder=tmp_path).env["X"] == value


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing yet\n", "   "])
def test_an_env_file_may_say_nothing(text: str, tmp_path: Path) -> None:
    write(tmp_path / ".env", text)
    settings = load_settings({}, folder=tmp_path)
    assert (settings.env, settings.warnings) == ({}, ())


def test_all_lines_that_cannot_be_understood_are_named_without_their_text(tmp_path: Path) -> None:
    write(tmp_path / ".env", "GOOD=1\n\n\nNOT A NAME=s3cr3t\nALONE\nOPEN='s3cr3t\n")
    with pytest.raises(ConfigError) as raised:
        load_settings({}, folder=tmp_path)
    assert [problem.line for problem in raised.value.problems] == [4, 5, 6]
    assert str(raised.value).splitlines()[0] == (
        f"{tmp_path}/.env:4: is not NAME=value; quote a value with spaces or # in it, and close every quote"
    )
    assert "s3cr3t" not in str(raised.value)


@pytest.mark.parametrize("raw", ["A=1\nB=비밀\n".encode("euc-kr"), b"A=1\nLISTENER_RULES=\0\n"])
def test_an_env_file_that_is_not_utf8_is_an_error_with_its_line(raw: bytes, tmp_path: Path) -> None:
    write(tmp_path / ".env", raw)
    with pytest.raises(ConfigError, match=r"\.env:2: is not UTF-8; save it as UTF-8"):
        load_settings({}, folder=tmp_path)


def test_an_env_file_in_utf16_is_an_error(tmp_path: Path) -> None:
    """What old editors on Windows call Unicode."""
    write(tmp_path / ".env", "A=1\n".encode("utf-16"))
    with pytest.raises(ConfigError, match=r"\.env:1: is not UTF-8; save it as UTF-8"):
        load_settings({}, folder=tmp_path)


def test_an_env_file_that_cannot_be_read_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    """A loop of links is unreadable for root too, whom file modes do not stop."""
    (tmp_path / ".env").symlink_to(".env")
    with pytest.raises(ConfigError, match=r"cannot be read .*; let the user that runs listener read it"):
        load_settings({}, folder=tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_an_env_file_of_another_user_is_an_error_and_a_closed_folder_is_not(tmp_path: Path) -> None:
    env = write(tmp_path / "closed" / ".env", "A=1\n", 0o000)
    with pytest.raises(ConfigError, match="Permission denied"):
        load_settings({}, folder=tmp_path / "closed")
    env.parent.chmod(0o000)
    assert "A" not in load_settings({}, folder=tmp_path / "closed").env
    env.parent.chmod(0o700)


def test_a_folder_or_a_pipe_named_env_is_not_opened(tmp_path: Path) -> None:
    (tmp_path / ".env").mkdir()
    (tmp_path / "team").mkdir()
    os.mkfifo(tmp_path / "team" / ".env")
    settings = load_settings({"LISTENER_RULES": "team/rules.yaml"}, folder=tmp_path)
    assert [line.rpartition(": ")[2] for line in settings.warnings] == ["is not a regular file; it is ignored"] * 2


def test_rules_below_a_file_have_no_env_file(tmp_path: Path) -> None:
    write(tmp_path / "file", "")
    assert load_settings({"LISTENER_RULES": "file/rules.yaml"}, folder=tmp_path).warnings == ()


@pytest.mark.parametrize(
    ("mode", "warned"), [(0o600, False), (0o640, False), (0o400, False), (0o644, True), (0o660, True), (0o604, True)]
)
def test_an_env_file_that_others_may_read_or_change_is_a_warning(mode: int, warned: bool, tmp_path: Path) -> None:
    write(tmp_path / ".env", "A=1\n", mode)
    expected = (f"{tmp_path}/.env: others may read or change it (mode {mode:04o}); chmod 640 it",) if warned else ()
    assert load_settings({}, folder=tmp_path).warnings == expected


def test_misspelt_settings_and_repeated_names_are_warnings(tmp_path: Path) -> None:
    write(tmp_path / ".env", "LISTENER_RULE=x\nLISTENER_ZZZ=x\nA=1\nA=2\n")
    settings = load_settings({}, folder=tmp_path)
    env = tmp_path / ".env"
    assert settings.warnings == (
        f"{env}:1: LISTENER_RULE: is no setting of ours; did you mean LISTENER_RULES?",
        f"{env}:2: LISTENER_ZZZ: is no setting of ours; "
        "there are LISTENER_RULES, LISTENER_DB, LISTENER_LOG, LISTENER_LOG_LEVEL, LISTENER_EMBEDDING",
        f"{env}:4: A: is set twice; the last one counts",
    )
    assert settings.env["A"] == "2"


@given(raw=st.binary(max_size=200))
def test_whatever_is_in_an_env_file_it_is_read_or_refused(raw: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("env")
    write(folder / ".env", raw)
    with contextlib.suppress(ConfigError):
        load_settings({}, folder=folder)


# --- logs


def test_the_form_of_the_logs_is_chosen_in_any_case(tmp_path: Path) -> None:
    settings = load_settings({"LISTENER_LOG": "JSON", "LISTENER_LOG_LEVEL": " Debug "}, folder=tmp_path)
    assert (settings.log_format, settings.log_level) == ("json", "debug")


def test_wrong_choices_are_all_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as raised:
        load_settings({"LISTENER_LOG": "xml", "LISTENER_LOG_LEVEL": "loud"}, folder=tmp_path)
    assert str(raised.value).splitlines() == [
        "settings: LISTENER_LOG: is not one of its values; use auto, human, json",
        "settings: LISTENER_LOG_LEVEL: is not one of its values; use info, debug, warning, error",
    ]


# --- secrets


def test_values_of_files_and_credentials_are_secrets_and_our_own_settings_are_not(tmp_path: Path) -> None:
    write(tmp_path / ".env", "LISTENER_LOG=json\nSLACK=s3cr3t\nEMPTY=\n")
    write(tmp_path / "creds" / "MAIL", "passw0rd\n")
    settings = load_settings({"CREDENTIALS_DIRECTORY": str(tmp_path / "creds"), "HOME": "/root"}, folder=tmp_path)
    assert secrets(settings) == {"s3cr3t", "passw0rd"}


def test_a_database_with_a_login_is_a_secret(tmp_path: Path) -> None:
    url = "postgresql+psycopg://listener:hunter22@db.example/listener"
    assert secrets(load_settings({"LISTENER_DB": url}, folder=tmp_path)) == {url}


def test_settings_print_no_value(tmp_path: Path) -> None:
    write(tmp_path / ".env", "SLACK=s3cr3t\n")
    environ = {"LISTENER_DB": "postgresql+psycopg://u:hunter22@db.example/x", "TOKEN": "t0k3n"}
    shown = repr(load_settings(environ, folder=tmp_path))
    for value in ("s3cr3t", "hunter22", "t0k3n"):
        assert value not in shown
