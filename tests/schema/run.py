#!/usr/bin/env python3
"""Asks a real node whatever its OpenAPI document allows, and much that it does not.

Usage: run.py GREENROOM SCHEMATHESIS [examples]

Once as an admin and once as a candidate, each with an interview of their own behind `{id}`. No
answer may be a 5xx, and each has a status, a media type and headers that the document names. The
seed is fixed, so a failure is the same on every run; schemathesis prints the request as a curl line.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import urllib.request

SEED = 1
# Answers within this are the product's; the time of a whole run is bounded below.
REQUEST_SECONDS = 30
RUN_SECONDS = 240
PASSWORD = "a long sentence that nobody guesses"
CHECKS = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "allow_header_conformance",
]

# Left out by name, each with its reason. Whatever a new route does, it is asked until it stands here.
LEFT_OUT = {
    "post_auth_logout": "ends the login that the rest of the run needs",
    "delete_me": "erases the account that the rest of the run needs",
    "delete_me_sessions": "ends logins, and is asked in tests/it/http/factors.rs",
    "post_admin_cluster_stepdown": "a node that hands over answers 503 for a moment, as it must",
    "post_admin_upgrade_undo": "takes the level of the data back, and other routes with it",
    "post_admin_keys_rotate": "may end the access tokens that the rest of the run shows",
    "put_admin_limits": "a limit drawn by chance refuses the rest of the run with 429",
    "get_rooms_id_socket": "is a WebSocket, and is asked in tests/it/rooms",
}


def main():
    greenroom, schemathesis = map(os.path.abspath, sys.argv[1:3])
    examples = sys.argv[3] if len(sys.argv) > 3 else "4"
    with tempfile.TemporaryDirectory(prefix="greenroom-schema-") as folder:
        folder = pathlib.Path(folder)
        node, url = start(greenroom, folder)
        try:
            tokens = people(url, folder)
            failed = [who for who in tokens if not ask(schemathesis, url, folder, who, tokens[who], examples)]
        finally:
            node.terminate()
            node.wait(timeout=30)
        said = (folder / "log").read_text(errors="replace")
        panics = [line for line in said.splitlines() if "panicked" in line]
        for line in panics:
            print(line)
    bad = len(failed) + bool(panics)
    print(f"{len(tokens) + 1 - bad} passed, {bad} failed")
    sys.exit(1 if bad else 0)


def start(greenroom, folder):
    """A node on an empty directory; it counts no requests, because there will be thousands."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GREENROOM_")}
    environment["RATE_LIMIT_ENABLED"] = "false"
    log = open(folder / "log", "w")
    node = subprocess.Popen(
        [greenroom, "--data-dir", folder / "data", "serve", "--listen", "127.0.0.1:0"],
        stdout=subprocess.PIPE, stderr=log, env=environment, text=True, cwd=folder)
    killer = threading.Timer(60, node.kill)
    killer.start()
    line = node.stdout.readline()
    killer.cancel()
    if not line.startswith("listening "):
        sys.exit(f"the node did not start: {(folder / 'log').read_text()}")
    return node, line.split()[1]


def call(url, method, path, body=None, token=None):
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url + path, data=data, headers=headers, method=method)
    with urllib.request.urlopen(request, timeout=REQUEST_SECONDS) as reply:
        return json.load(reply)


def people(url, folder):
    """An admin and a candidate, by their access tokens."""
    setup = {"token": (folder / "data" / "setup-token").read_text().strip(), "organisation": "Lighthouse",
             "email": "ada@example.org", "display_name": "Ada", "password": PASSWORD}
    admin = call(url, "POST", "/api/v1/setup", setup)["access_token"]
    sam = {"email": "sam@example.org", "display_name": "Sam", "role": "candidate", "password": PASSWORD}
    call(url, "POST", "/api/v1/people", sam, admin)
    login = {"email": sam["email"], "password": PASSWORD}
    candidate = call(url, "POST", "/api/v1/auth/login", login)["access_token"]
    return {"admin": admin, "candidate": candidate}


def ask(schemathesis, url, folder, who, token, examples):
    """One run; says whether every answer was as the document has it."""
    practice = {"kind": "practice", "questions": ["Why?", "How?", "What then?"]}
    interview = call(url, "POST", "/api/v1/interviews", practice, token)["id"]
    config = folder / f"{who}.toml"
    config.write_text(
        '[[operations]]\ninclude-path-regex = "^/api/v1/interviews/.id."\n'
        f'parameters = {{ "path.id" = "{interview}" }}\n')
    command = [
        schemathesis, "--no-color", "--config-file", config, "run", f"{url}/api/openapi.json",
        "--header", f"Authorization: Bearer {token}", "--phases", "coverage,fuzzing",
        "--max-examples", examples, "--seed", str(SEED), "--checks", ",".join(CHECKS),
        "--continue-on-failure", "--no-shrink", "--warnings", "off", "--suppress-health-check", "all",
        "--request-timeout", str(REQUEST_SECONDS), "--generation-database", "none",
    ]
    for operation in LEFT_OUT:
        command += ["--exclude-operation-id", operation]
    output = folder / f"{who}.txt"
    with open(output, "w") as out:
        try:
            code = subprocess.run(command, stdout=out, stderr=subprocess.STDOUT, cwd=folder,
                                  timeout=RUN_SECONDS).returncode
        except subprocess.TimeoutExpired:
            code = f"no end after {RUN_SECONDS} s"
    said = output.read_text(errors="replace")
    print(f"-- as {who}: {'as documented' if code == 0 else f'FAILED ({code})'}")
    lines = said.splitlines()
    print("\n".join(lines if code else [line for line in lines if "generated" in line or "Tested" in line]))
    return code == 0


if __name__ == "__main__":
    main()
