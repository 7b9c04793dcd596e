#!/usr/bin/env bash
# Every test of Greenroom: format, lints, Rust tests, the web app's checks, a real browser, the engine's exactness.
# Works on a fresh machine with Rust and Node; installs Chromium from the distribution if there is none.
set -euo pipefail
cd "$(dirname "$0")/.."
export CARGO_TERM_COLOR=never CI="${CI:-}"
# The tests start nodes of their own; settings of this shell must not reach them.
for name in $(compgen -e | grep '^GREENROOM_' || true); do unset "$name"; done

step() { printf '\n== %s (%ss)\n' "$1" "$SECONDS"; }

need() {
  command -v "$1" >/dev/null 2>&1 || { echo "$1 is needed: $2" >&2; exit 1; }
}

install_chromium() {
  for browser in chromium chromium-browser google-chrome; do
    if command -v "$browser" >/dev/null 2>&1; then
      CHROMIUM_BIN="$(command -v "$browser")"; export CHROMIUM_BIN
      return
    fi
  done
  local sudo=""
  [ "$(id -u)" = 0 ] || sudo="sudo"
  $sudo apt-get update -qq
  DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core ||
    DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends --fix-missing chromium fonts-dejavu-core
  CHROMIUM_BIN="$(command -v chromium)"; export CHROMIUM_BIN
}

# Makes a browser trust the authority of a site of its own, in a throw-away home.
install_certutil() {
  if command -v certutil >/dev/null 2>&1; then return; fi
  local sudo=""
  [ "$(id -u)" = 0 ] || sudo="sudo"
  $sudo apt-get update -qq
  DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends libnss3-tools ||
    DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends --fix-missing libnss3-tools
}

step "Tools"
need cargo "install Rust with rustup"
need node "install Node 20 or newer"
need npm "it comes with Node"
need python3 "install Python 3.10 or newer, with venv"
install_chromium
install_certutil
cargo --version; node --version

step "Rust format"
cargo fmt --check

step "Web app: packages, types, unit tests, build"
(cd assets/web && npm ci --no-audit --no-fund --silent && npm run --silent check && npm test --silent)

step "Rust lints"
cargo clippy --all-targets --quiet -- -D warnings

step "Rust tests"
cargo test --no-fail-fast

step "Known faults of dependencies"
bash tests/supply.sh

step "The API, asked whatever its document allows"
[ -d target/venv ] || python3 -m venv target/venv
target/venv/bin/pip install --quiet --requirement tests/schema/requirements.txt
python3 tests/schema/run.py target/debug/greenroom target/venv/bin/schemathesis 2

step "Browser tests"
(cd tests/browser && npm ci --no-audit --no-fund --silent &&
  GREENROOM_BIN="$PWD/../../target/debug/greenroom" npm test --silent)

step "The engine's exactness and determinism"
if [ -d ../shared/eval ]; then
  if ! python3 -c 'import numpy' 2>/dev/null; then
    [ -d target/venv ] || python3 -m venv target/venv
    target/venv/bin/pip install --quiet numpy
    export PATH="$PWD/target/venv/bin:$PATH"
  fi
  python3 ../shared/eval/evaluate.py --cmd "$PWD/target/debug/greenroom score" --only M9,M10 --json target/eval.json
  python3 - <<'PY'
import json
rows = json.load(open("target/eval.json"))["measures"]
missed = [r["id"] for r in rows if r["id"].startswith(("M9", "M10")) and r.get("value") != 1.0]
assert rows and not missed, f"not exact: {missed}"
print(f"{len(rows)} passed, 0 failed")
PY
else
  echo "skipped: the evaluation kit ../shared/eval is not here"
fi

step "All passed"
