#!/usr/bin/env bash
# Writes the documents anew with the programs that people use: Chromium, pandoc, python-docx. The person in them is
# invented. Run it where they are installed; the tests read what is committed.
set -euo pipefail
cd "$(dirname "$0")"
profile="$(mktemp -d)"
trap 'rm -rf "$profile"' EXIT
for name in one-column two-columns; do
  chromium --headless --no-sandbox --disable-gpu --no-first-run --user-data-dir="$profile" --no-pdf-header-footer \
    --print-to-pdf="$name.pdf" "$name.html"
done
pandoc one-column.html -o pandoc.docx
python3 - <<'PYTHON'
import docx

document = docx.Document()
document.add_heading("Zoë Okafor", 1)
document.add_paragraph("Backend engineer & lead, Lisbon. Eight years of Rust.")
row = document.add_table(rows=1, cols=2)
row.cell(0, 0).text = "2019 – present"
row.cell(0, 1).text = "Harbour Freight: leads a team of five <engineers>"
document.save("python-docx.docx")
PYTHON
