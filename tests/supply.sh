#!/usr/bin/env bash
# Known faults in what others wrote: cargo-deny with the public database of advisories. Licences, bans and sources are
# asked too; without cargo-deny, `tests/house/supply.rs` has asked them already.
#
# Usage: supply.sh            skips, and says so, where the tool or its database cannot be had
#        supply.sh --must     fails there: the nightly run has a network
set -euo pipefail
cd "$(dirname "$0")/.."
rules=.cargo/deny.toml

without() {
  printf '\n*** ADVISORIES WERE NOT CHECKED: %s.\n' "$1" >&2
  printf '*** Whether a dependency has a known fault is not known from this run; the nightly run asks.\n' >&2
  [ "${must:-}" = yes ] && exit 1
  exit 0
}

must=no
[ "${1:-}" = --must ] && must=yes
command -v cargo-deny >/dev/null 2>&1 || without "cargo-deny is not installed (cargo install --locked cargo-deny)"
cargo deny --config "$rules" --offline check licenses bans sources
# A machine without a way out gets no answer here, and one with a slow way out waits two minutes at most.
timeout 120 cargo deny --config "$rules" fetch db >/dev/null 2>&1 || without "the database cannot be fetched from here"
cargo deny --config "$rules" --offline check advisories
