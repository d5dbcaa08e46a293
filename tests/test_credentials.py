#!/usr/bin/env python3
"""test_credentials.py - profiles of the shared files, against botocore.

SPDX-License-Identifier: MIT

Random pairs of files, some broken, are read by tests/credentials_driver.c and by botocore, whose
calls to STS and to processes are replaced by ones that take notes. Both must find the same keys,
roles and settings, or both refuse. The seed is fixed.
"""
import os
import random
import subprocess
import sys
import tempfile

import botocore
import botocore.configloader
import botocore.credentials
import botocore.exceptions
import botocore.session

# coverage.py counts another build of it.
DRIVER = os.environ.get("DRIVERS", "build/sanitized") + "/credentials_driver"
PROFILES = ["default", "a", "b", "c", "two words", "d.e"]
SETTINGS = ["region", "ca_bundle", "retry_mode", "max_attempts", "endpoint_url"]
random.seed(20260103)


class Refused(Exception):
    pass


class Sts:
    """Notes what is asked and gives keys that say so."""

    def __init__(self, notes, keys):
        self.notes, self.keys = notes, keys

    def answer(self, note):
        self.notes.append(note)
        key = f"K{len(self.notes)}"
        return {"Credentials": {"AccessKeyId": key, "SecretAccessKey": "s" + key,
                                "SessionToken": "t" + key, "Expiration": "2099-01-01T00:00:00Z"},
                "AssumedRoleUser": {"Arn": "arn:aws:sts::1:assumed-role/x/y"}}

    def role(self, kwargs):
        name = kwargs.get("RoleSessionName", "")
        note = ["role", f"arn {kwargs['RoleArn']}"]
        if not name.startswith("botocore-session-"):
            note.append(f"session {name}")
        if "ExternalId" in kwargs:
            note.append(f"external {kwargs['ExternalId']}")
        if "DurationSeconds" in kwargs:
            note.append(f"duration {kwargs['DurationSeconds']}")
        return note

    def assume_role(self, **kwargs):
        if "SerialNumber" in kwargs:
            raise Refused("mfa")
        return self.answer(self.role(kwargs))

    def assume_role_with_web_identity(self, **kwargs):
        note = self.role(kwargs)
        return self.answer(["from web", "file " + kwargs["WebIdentityToken"]] + note[1:])


class Process:
    returncode = 0

    def __init__(self, notes, words):
        notes.append(["from process"])

    def communicate(self):
        return b'{"Version":1,"AccessKeyId":"P","SecretAccessKey":"s"}', b""


def with_botocore(config, credentials, profile):
    """Lines as the driver writes them."""
    notes = []
    session = botocore.session.Session(profile=None if profile == "default" else profile)
    session.set_config_variable("config_file", config)
    session.set_config_variable("credentials_file", credentials)

    def creator(*_):
        def make(service, **kwargs):
            return Sts(notes, kwargs.get("aws_access_key_id"))
        return make

    class Loader:
        def __init__(self, path):
            self.path = path

        def __call__(self):
            return self.path

    class Named:
        def __init__(self, providers):
            pass

        def is_supported(self, name):
            return name.lower() in ("environment", "ecscontainer", "ec2instancemetadata")

        def source_credentials(self, name):
            names = {n.lower(): n for n in ("Environment", "EcsContainer", "Ec2InstanceMetadata")}
            notes.append(["from " + names[name.lower()]])
            return botocore.credentials.Credentials("N", "s")

    saved = (botocore.credentials._get_client_creator, botocore.credentials.FileWebIdentityTokenLoader,
             botocore.credentials.CanonicalNameCredentialSourcer, subprocess.Popen,
             botocore.credentials.ContainerProvider.load,
             botocore.credentials.InstanceMetadataProvider.load)
    botocore.credentials._get_client_creator = creator
    botocore.credentials.FileWebIdentityTokenLoader = Loader
    botocore.credentials.CanonicalNameCredentialSourcer = Named
    botocore.credentials.ContainerProvider.load = lambda self: None
    botocore.credentials.InstanceMetadataProvider.load = lambda self: None
    build = botocore.credentials.ProcessProvider.__init__

    def process(self, profile_name, load_config, popen=None):
        build(self, profile_name, load_config, popen=lambda words, **_: Process(notes, words))
    botocore.credentials.ProcessProvider.__init__ = process
    try:
        scoped = session.get_scoped_config()
        full = session.full_config
        keys = session.get_credentials()
        frozen = keys.get_frozen_credentials() if keys else None
    except (botocore.exceptions.BotoCoreError, Refused, EOFError) as error:
        return None, f"{type(error).__name__}: {error}"
    finally:
        (botocore.credentials._get_client_creator, botocore.credentials.FileWebIdentityTokenLoader,
         botocore.credentials.CanonicalNameCredentialSourcer, subprocess.Popen,
         botocore.credentials.ContainerProvider.load,
         botocore.credentials.InstanceMetadataProvider.load) = saved
        botocore.credentials.ProcessProvider.__init__ = build
    lines = [f"{name} {scoped[name]}" for name in SETTINGS if isinstance(scoped.get(name), str)]
    style = scoped.get("s3")
    if isinstance(style, dict) and "addressing_style" in style:
        lines.append(f"addressing_style {style['addressing_style']}")
    services = full.get("services", {}).get(scoped.get("services"), {})
    for service, values in services.items():
        if isinstance(values, dict) and "endpoint_url" in values:
            lines.append(f"endpoint {service} {values['endpoint_url']}")
    lines += [line for note in notes for line in note]
    if not notes:
        lines.append({"shared-credentials-file": "from credentials", "config-file": "from config",
                      None: "from nothing"}[keys.method if keys else None])
        if frozen:
            lines += [f"key {frozen.access_key}", f"secret {frozen.secret_key}"]
            if frozen.token is not None:
                lines.append(f"token {frozen.token}")
    return lines, None


def with_ours(config, credentials, profile):
    done = subprocess.run([DRIVER, config, credentials, profile], capture_output=True)
    if done.returncode != 0:
        sys.exit(f"{DRIVER}: {done.stdout.decode()}{done.stderr.decode()}")
    text = done.stdout.decode("utf-8").splitlines()
    if text and text[0].startswith("error"):
        return None, text[0]
    return [line.replace("\\n", "\n") for line in text], None


def some(share):
    return random.random() < share


def option(name, value):
    indent = " " if some(0.02) else ""
    name = name.upper() if some(0.05) else name
    equals = random.choice([" = ", "=", " =", ": ", "\t=\t"])
    lines = [f"{indent}{name}{equals}{value}{' ' * random.choice([0, 0, 2])}"]
    if some(0.1):
        lines.insert(0, random.choice(["# a comment = 1", "   ; another", "", "   "]))
    return lines


def block(name, pairs):
    lines = [f"{name} ="]
    for key, value in pairs:
        lines.append(f"{random.choice(['  ', chr(9), '     '])}{key}{random.choice([' = ', '='])}{value}")
        if some(0.1):
            lines.append(random.choice(["", "  # c = d"]))
    return lines


def keys(tag):
    lines = []
    if some(0.97):
        lines += option("aws_access_key_id", f"AK{tag}")
    if some(0.97):
        lines += option("aws_secret_access_key", f"sec/{tag}+={tag}")
    if some(0.3):
        lines += option("aws_session_token", f"tok=={tag}" * random.choice([1, 1, 200]))
    if some(0.1):
        lines += option("aws_security_token", f"old{tag}")
    return lines


def settings(tag):
    lines = []
    for name, values in (("region", ["eu-west-1", f"r-{tag}", "x # y"]), ("ca_bundle", ["/c a.pem"]),
                         ("retry_mode", ["standard", "legacy"]), ("max_attempts", ["3", "7"]),
                         ("endpoint_url", ["http://localhost:1"]), ("output", ["json"])):
        if some(0.25):
            lines += option(name, random.choice(values))
    if some(0.2):
        lines += block("s3", [("addressing_style", "path"), ("max_concurrent_requests", "5")])
    if some(0.2):
        lines += option("services", "local")
    return lines


def role(tag, config):
    lines = []
    if some(0.98):
        lines += option("role_arn", f"arn:aws:iam::1:role/{tag}")
    if some(0.9):
        lines += option("source_profile", random.choice(PROFILES))
    else:
        lines += option("credential_source",
                        random.choice(["Environment", "EcsContainer", "Ec2InstanceMetadata", "Moon"]))
    if some(0.3):
        lines += option("external_id", f"ext {tag}")
    if some(0.3):
        lines += option("role_session_name", f"name-{tag}")
    if some(0.3):
        lines += option("duration_seconds", "1800")
    if some(0.05):
        lines += option("mfa_serial", "arn:aws:iam::1:mfa/x")
    return lines


def body(tag, config):
    lines = settings(tag) if config or some(0.2) else []
    kind = random.choice(["keys", "keys", "role", "role", "process", "web", "none"])
    if kind == "keys" or some(0.1):
        lines += keys(tag)
    if kind == "role":
        lines += role(tag, config)
    if kind == "process":
        lines += option("credential_process", f"/bin/get --user '{tag} x'")
    if kind == "web":
        lines += option("web_identity_token_file", f"/tok/{tag}")
        if some(0.9):
            lines += option("role_arn", f"arn:aws:iam::1:role/{tag}")
        if some(0.5):
            lines += option("role_session_name", f"web-{tag}")
    return lines


def header(profile, config):
    if not config:
        return f"[{profile}]"
    if profile == "default":
        return random.choice(["[default]", "[default]", "[profile default]"])
    name = f'"{profile}"' if " " in profile or some(0.3) else profile
    return random.choice(["[profile %s]", "[profile %s]", "[profile  %s]", "[profile %s] "]) % name


def make_file(config, tag):
    """All but a few profiles, so that a role finds its source."""
    lines = ["# made by a test", ""] if some(0.3) else []
    for profile in random.sample(PROFILES, random.choice([2, 5, 6, 6])):
        lines += [header(profile, config)] + body(f"{tag}{PROFILES.index(profile)}", config)
    if config and some(0.5):
        lines += ["[services local]"]
        lines += block("s3", [("endpoint_url", "http://s3.local:1")])
        lines += block("dynamodb", [("endpoint_url", "http://db.local:2"), ("other", "1")])
        lines += ["[preview]", "x = 1", "[sso-session s]", "sso_region = eu-west-1"]
    if some(0.03):
        lines.insert(random.randint(0, len(lines)), random.choice(
            ["no delimiter here", "= no name", "[default]", "key = before any section"]))
    end = random.choice(["\n", "\n", "\n", "\r\n"])
    return end.join(lines) + (end if some(0.8) else "")


FIXED = [  # config, credentials, profile
    ("", "", "default"),
    ("[default]\nregion = x\n", "[default]\nregion = y\n", "default"),
    ("[profile a]\n[profile b]\nregion=1\n", "", "a"),
    ("[default]\nregion = 1\n[profile default]\noutput = text\n", "", "default"),
    ("[default]\nregion=1\nregion=2\n", "", "default"),
    ("[profile a]\nrole_arn=r\nsource_profile=a\naws_access_key_id=k\naws_secret_access_key=s\n", "", "a"),
    ("[profile a]\nrole_arn=r\nsource_profile=a\n", "", "a"),
    ("[profile a]\nrole_arn=r\nsource_profile=b\n[profile b]\nrole_arn=q\nsource_profile=a\n", "", "a"),
    ("[profile a]\nrole_arn=1\nsource_profile=b\n[profile b]\nrole_arn=2\nsource_profile=c\n"
     "[profile c]\nrole_arn=3\nsource_profile=default\n", "[default]\naws_access_key_id=k\n"
     "aws_secret_access_key=s\n", "a"),
    ("[default]\ncredential_process = one\n  two\n\n  three\nregion = z\n", "", "default"),
    ("[default]\ns3 =\n  broken line\n", "", "default"),
    ("[default\nregion=1\n", "", "default"),
    ("[default]\nregion\n", "", "default"),
    ("[profile nobody]\n", "", "a"),
]

# What the other SDKs' tests of profile files try (smithy-rs's profile-parser-tests, botocore's
# tests/unit/cfg), each with a setting that can be seen. Where those SDKs disagree with botocore,
# botocore is right here.
PEERS = [(config, "", profile) for config, profile in (
    ("[profile foo]", "foo"),
    ("[profile some-thing:long/the_one%only.foo@bar+]\nregion=1\n", "some-thing:long/the_one%only.foo@bar+"),
    ("[profile foo!bar]\nregion=1\n", "foo!bar"),
    ("[profile foo", "foo"),
    ("[profile \tfoo \t]\nregion=1\n", "foo"),
    ("[profile\tfoo]\nregion=1\n", "foo"),
    ("region = value", "default"),
    ("[profile foo]\r\nregion = value", "foo"),
    ("[profile foo]\nregion = val=ue", "foo"),
    ("[profile foo]\nregion = \U0001f602", "foo"),
    ("[profile foo]\nregion = value\nmax_attempts = 2", "foo"),
    ("[profile foo]\nregion \t=  \tvalue \t", "foo"),
    ("[profile foo]\nregion =", "foo"),
    ("[profile foo]\n= value", "foo"),
    ("[profile foo]\nregion : value", "foo"),
    ("[profile foo]\n[profile bar]", "bar"),
    ("[profile foo]\nregion = value\n[profile bar]\nmax_attempts = 2", "bar"),
    ("\t \n[profile foo]\n\t\n \nregion = value\n\t \n[profile bar]\n \t", "foo"),
    ("# Comment\n[profile foo] # Comment\nregion = value # Comment with # sign", "foo"),
    ("; Comment\n[profile foo] ; Comment\nregion = value ; Comment with ; sign", "foo"),
    ("# Comment\n[profile foo] ; Comment\nregion = value # Comment with ; sign", "foo"),
    (";\n[profile foo];\nregion = value ;\n", "foo"),
    ("[profile foo]; Adjacent semicolons\nregion=1\n[profile bar]# Adjacent pound signs\nregion=2", "bar"),
    ("[profile foo]\nregion = value; Adjacent\nca_bundle = value# Adjacent", "foo"),
    ("[profile foo]\nregion = value\n -continued", "foo"),
    ("[profile foo]\nregion = value\n -continued\n -and-continued", "foo"),
    ("[profile foo]\nregion = value\n \t -continued \t ", "foo"),
    ("[profile foo]\nregion = value\n -continued # Comment", "foo"),
    ("[profile foo]\nregion = value\n -continued ; Comment", "foo"),
    (" -continued", "default"),
    ("[profile foo]\n -continued", "foo"),
    ("[profile foo]\nregion = value\n[profile foo]\n -continued", "foo"),
    ("[profile foo]\nregion = value\n[profile foo]\nmax_attempts = 2", "foo"),
    ("[profile foo]\nregion = value\nregion = value2", "foo"),
    ("[profile foo]\nregion = value\n[profile foo]\nregion = value2", "foo"),
    ("[profile foo]\nRegion = value\n[profile foo]\nregion = value2", "foo"),
    ("[profile default]\nregion = value\n[default]\nca_bundle = value2", "default"),
    ("[default]\nca_bundle = value2\n[profile default]\nregion = value", "default"),
    ("[profile in valid]\nregion = value", "in valid"),
    ("[profile foo]\nin valid = value\nregion = 1", "foo"),
    ("[profile ABCXYZabcxyz0123456789-_]\nregion=1", "ABCXYZabcxyz0123456789-_"),
    ("[profile foo]\nREGION = value", "foo"),
    ("[profile foo]\ns3 =\n addressing_style = path", "foo"),
    ("[profile foo]\ns3 =\n invalid", "foo"),
    ("[profile foo]\ns3 =\n addressing_style =", "foo"),
    ("[profile foo]\ns3 =\n = value", "foo"),
    ("[profile foo]\ns3 =\n in valid = value", "foo"),
    ("[profile foo]\ns3 =\n other = value\n\t \n addressing_style = path", "foo"),
    ("[default]\naws_access_key_id = foo\naws_secret_access_key = bar\ns3 =\n    signature_version = s3v4\n"
     "    addressing_style = path\ncloudwatch =\n    signature_version = v4\nregion=us-west-2\n", "default"),
    ("[default]\naws_access_key_id = foo\naws_secret_access_key = bar\ns3 =\nregion=us-west-2\n", "default"),
    ("[default]\naws_access_key_id = a\naws_secret_access_key = b\n[profile foo]\nregion = 1\n", "foo"),
    ("[default]\naws_access_key_id = a\n", "default"),
    ("[profile foo]\nrole_arn = r\nsource_profile = none\n", "foo"),
    ("[profile foo]\nrole_arn = r\n", "foo"),
    ("[profile foo]\nsource_profile = foo\nregion = 1\n", "foo"),
    ("[profile foo]\nrole_arn = r\nsource_profile = bar\ncredential_source = Environment\n[profile bar]\n"
     "aws_access_key_id = a\naws_secret_access_key = b\n", "foo"),
    ("[profile foo]\nrole_arn = r\ncredential_source = Environment\n", "foo"),
    ("[profile foo]\nrole_arn = r\nsource_profile = foo\naws_access_key_id = a\n", "foo"),
)] + [
    ("", "[in valid 2]\naws_access_key_id = a\naws_secret_access_key = b\n", "in valid 2"),
    ("", "[profile foo]\naws_access_key_id = a\naws_secret_access_key = b\n", "foo"),
    ("", "[foo]\naws_access_key_id = a\naws_secret_access_key = b\naws_session_token = c\n", "foo"),
    ("[profile foo]\naws_access_key_id = config\naws_secret_access_key = b\n",
     "[foo]\naws_access_key_id = credentials\naws_secret_access_key = b\n", "foo"),
    ("[profile foo]\nregion = config\n", "[foo]\nregion = credentials\n", "foo"),
    ("[foo]\nregion = no prefix\n", "[foo]\naws_access_key_id = a\naws_secret_access_key = b\n", "foo"),
    ("[profile foo]\nrole_arn = r\nsource_profile = bar\n",
     "[bar]\naws_access_key_id = a\naws_secret_access_key = b\n", "foo"),
]


def main():
    subprocess.run(["make", "-s", DRIVER], check=True)
    cases = FIXED + PEERS
    while len(cases) < int(os.environ.get("CASES", "320")):
        cases.append((make_file(True, "c") if some(0.9) else "", make_file(False, "k") if some(0.8) else "",
                      random.choice(PROFILES[:4])))
    wrong = refused = roles = 0
    with tempfile.TemporaryDirectory() as directory:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            del os.environ[name]
        paths = [os.path.join(directory, name) for name in ("config", "credentials")]
        for number, case in enumerate(cases):
            for path, text in zip(paths, case):
                with open(path, "w", newline="") as file:
                    file.write(text)
            want, why = with_botocore(*paths, case[2])
            got, ours = with_ours(*paths, case[2])
            refused += want is None
            roles += want is not None and "role" in want
            if (want is None) != (got is None) or (want and normal(want) != normal(got)):
                wrong += 1
                print(f"case {number}, profile {case[2]!r}:\n--- config\n{case[0]}--- credentials\n{case[1]}"
                      f"--- botocore: {why or normal(want)}\n--- ours:     {ours or normal(got)}\n")
        wrong += environments(directory) + processes(directory)
    print(f"test_credentials: {len(cases)} pairs of files, {len(FIXED)} of ours, {len(PEERS)} of the peers, {refused} refused, {roles} with roles, "
          f"{wrong} differ (botocore {botocore.__version__})")
    return 1 if wrong or refused > len(cases) // 2 else 0


def plain_file(config, tag):
    """No roles: nothing needs a server."""
    lines = []
    for profile in PROFILES[:3]:
        if not some(0.8):
            continue
        lines.append(header(profile, config))
        if some(0.4):
            lines += option("region", f"region-{tag}-{profile}")
        if some(0.3):
            lines += option("max_attempts", "7")
        if some(0.5):
            lines += [f"aws_access_key_id = AK{tag}{profile}", "aws_secret_access_key = s"]
            if some(0.3):
                lines.append("aws_session_token = " + "t" * 4096)
        elif some(0.4):
            lines.append(f"credential_process = {sys.executable} -c 'import json;"
                         f"print(json.dumps(dict(Version=1,AccessKeyId=\"AKP{tag}\","
                         f"SecretAccessKey=\"s\",SessionToken=\"t\"*3000)))'")
    return "\n".join(lines) + "\n"


def environments(directory):
    """The default session in 100 environments: region, attempts, source and keys."""
    wrong = found = 0
    for number in range(100):
        config, credentials = os.path.join(directory, "config"), os.path.join(directory, "credentials")
        for path, is_config in ((config, True), (credentials, False)):
            with open(path, "w") as file:
                file.write(plain_file(is_config, "c" if is_config else "k"))
        environment = {"AWS_CONFIG_FILE": config, "AWS_SHARED_CREDENTIALS_FILE": credentials,
                       "AWS_EC2_METADATA_DISABLED": "true"}
        for name, value, share in (("AWS_PROFILE", "a", 0.4), ("AWS_DEFAULT_PROFILE", "b", 0.2),
                                   ("AWS_DEFAULT_REGION", "from-env", 0.3), ("AWS_MAX_ATTEMPTS", "9", 0.2),
                                   ("AWS_ACCESS_KEY_ID", "AKENV", 0.3), ("AWS_SESSION_TOKEN", "tok", 0.3),
                                   ("AWS_CREDENTIAL_EXPIRATION", "2099-01-01T00:00:00Z", 0.1)):
            if some(share):
                environment[name] = value
        if "AWS_SESSION_TOKEN" not in environment and some(0.1):
            environment["AWS_SECURITY_TOKEN"] = "old"  # with both, we take the newer name, botocore this
        if "AWS_ACCESS_KEY_ID" in environment and some(0.9):
            environment["AWS_SECRET_ACCESS_KEY"] = "senv"
        profile = random.choice([None, None, None, "default", "a"])
        os.environ.update(environment)
        try:
            session = botocore.session.Session(profile=profile)
            keys = session.get_credentials()
            frozen = keys.get_frozen_credentials() if keys else None
            region = session.get_config_variable("region")
            attempts = session.get_config_variable("max_attempts") or 3
            want = [f"region {region}"] if region else []
            if frozen:
                want += [f"attempts {attempts}", f"from {keys.method}", f"key {frozen.access_key}",
                         f"secret {frozen.secret_key}"]
                want += [f"token {frozen.token}"] if frozen.token else []
                found += 1
        except botocore.exceptions.BotoCoreError as error:
            want, frozen = [str(error)], None
        done = subprocess.run([DRIVER, profile or "-"], capture_output=True, text=True, timeout=600)
        for name in environment:
            del os.environ[name]
        got = [line for line in done.stdout.splitlines() if not line.startswith("host ")]
        good = got == want if frozen else any(line.startswith("error") for line in got)
        if not good or done.returncode or done.stderr:
            wrong += 1
            print(f"environment {number}, profile {profile}: {environment}\n--- botocore: "
                  f"{[line[:100] for line in want]}\n--- ours:     {[line[:200] for line in got]}{done.stderr}")
    print(f"test_credentials: 100 environments, {found} with keys, {wrong} differ")
    return wrong


def processes(directory):
    """What credential_process may do: the key or a part of the sentence."""
    shout = (f"{sys.executable} -c \"import sys,json; print(json.dumps(dict(Version=1,"
             "AccessKeyId='-'.join(str(len(word)) for word in sys.argv[1:]),SecretAccessKey='s')))\"")
    good = '{\\"Version\\":1,\\"AccessKeyId\\":\\"A\\",\\"SecretAccessKey\\":\\"s\\"'
    cases = [(shout + " a 'b c'  \"d\\\\\\\"e\" f\\ g ''", "key 1-3-4-3-0"),
             (f'echo "{good}}}"', "key A"),
             (f'echo "{good},\\"SessionToken\\":null}}"', "key A"),
             (f'echo "{good},\\"Expiration\\":\\"2020-01-01T00:00:00Z\\"}}"', "have expired"),
             (f'echo "{good},\\"Expiration\\":\\"soon\\"}}"', "is not what a source of keys"),
             (f'echo "{good}"', '"Version": 1'), ("echo {}", '"Version": 1'),
             ('echo "{\\"Version\\":2}"', '"Version": 1'), ('echo "{\\"Version\\":1}"', "is not what a source"),
             (f'sh -c \'echo "{good}}}"; exit 3\'', "or it failed"), ("/no/such/program", "or it failed"),
             ("false", "or it failed"), ("echo 'open", "or it failed"),
             ("sh -c 'kill -9 $$'", "or it failed"),
             ("head -c 100000 /dev/zero", "bytes are needed")]
    wrong = 0
    for command, want in cases:
        with open(os.path.join(directory, "config"), "w") as file:
            file.write(f"[default]\nregion = eu-west-1\ncredential_process = {command}\n")
        environment = dict(os.environ, AWS_CONFIG_FILE=os.path.join(directory, "config"),
                           AWS_SHARED_CREDENTIALS_FILE="/dev/null", AWS_EC2_METADATA_DISABLED="true")
        done = subprocess.run([DRIVER, "-"], capture_output=True, text=True, env=environment, timeout=600)
        if want not in done.stdout or done.returncode or "Sanitizer" in done.stderr:
            wrong += 1
            print(f"{command}\n--- {want} is not in {done.stdout}{done.stderr}")
    print(f"test_credentials: {len(cases)} processes, {wrong} wrong")
    return wrong


def normal(lines):
    """Keys that roles begin with are known only to us; so is the command's text."""
    begun = "role" in lines
    kept = [line for line in lines if not line.startswith("process ")]
    if begun:
        kept = [line for line in kept if not line.startswith(("key ", "secret ", "token "))
                and line not in ("from credentials", "from config")]
    return sorted(kept[:kept.index("role")]) + kept[kept.index("role"):] if begun else sorted(kept)


if __name__ == "__main__":
    sys.exit(main())
