#!/usr/bin/env python3
"""Checks the repository's documents: every relative link names a file and an anchor that exist, every page of the book is in
its summary, and every path in backticks that begins with a folder of this repository exists."""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FENCE = re.compile(r"^(```|~~~).*?^\1", re.M | re.S)
LINK = re.compile(r"(?:\]\(|(?:src|srcset|href)=\")([^)\s\"]+)[)\"]")
CODE_PATH = re.compile(r"`((?:crates|src|tests|scripts|benches|docs|deploy|fuzz|datasets)/[\w./-]+)`")


def anchors(path):
    """GitHub's and mdBook's names of a page's headings."""
    headings = re.findall(r"^#+ +(.*)$", FENCE.sub("", path.read_text()), re.M)
    plain = (re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).lower() for heading in headings)
    return {re.sub(r"[^\w\- ]", "", heading).strip().replace(" ", "-") for heading in plain}


def problems(path):
    text = FENCE.sub("", path.read_text())
    for target in LINK.findall(text):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        file = (path.parent / name).resolve() if name else path
        if not file.exists():
            yield f"no file {target}"
        elif anchor and file.suffix == ".md" and anchor not in anchors(file):
            yield f"no heading {target}"
    for name in CODE_PATH.findall(text):
        if not (ROOT / name).exists():
            yield f"no path {name}"


def main():
    # Cards of models are written by fhectl.
    files = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "*.md"], cwd=ROOT, check=True, capture_output=True, text=True)
    pages = [ROOT / name for name in files.stdout.split() if not name.startswith("compiled_model/")]
    found = [f"{page.relative_to(ROOT)}: {problem}" for page in pages for problem in problems(page)]
    book = ROOT / "docs/src"
    listed = {book / target for target in LINK.findall((book / "SUMMARY.md").read_text())}
    found += [f"{page.relative_to(ROOT)}: not in SUMMARY.md" for page in book.rglob("*.md") if page.name != "SUMMARY.md" and page not in listed]
    print("\n".join(found) or f"ok    links of {len(pages)} documents")
    sys.exit(bool(found))


main()
