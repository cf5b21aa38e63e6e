#!/usr/bin/env python3
"""Breaks one rule of the domain at a time and says whether the simulation notices.

    scripts/mutate.py [--seeds N] [--only TEXT]

The rules stand in crates/simulation/mutations.toml. Works on a copy of the sources in target/mutations, so that the tree
is left alone. Ends with 1 when a mutation was not noticed, cannot be applied or does not compile.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COPY = ROOT / "target" / "mutations"
SOURCES = Path("crates") / "domain" / "src"


def copy_sources() -> None:
    COPY.mkdir(parents=True, exist_ok=True)
    for name in ["Cargo.toml", "Cargo.lock", "rust-toolchain.toml"]:
        shutil.copy2(ROOT / name, COPY / name)
    for folder in ["crates", "migration", "tests", ".cargo"]:
        shutil.rmtree(COPY / folder, ignore_errors=True)
        shutil.copytree(ROOT / folder, COPY / folder, ignore=shutil.ignore_patterns("target"))


def build() -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"CARGO_TARGET_DIR": str(COPY / "build")}
    command = ["cargo", "build", "--quiet", "--locked", "-p", "suanpan-simulation", "--bin", "simulate"]
    return subprocess.run(command, cwd=COPY, env=environment, capture_output=True, text=True, check=False)


def noticed(seeds: int) -> str | None:
    """What the first seed that notices says."""
    for seed in range(1, seeds + 1):
        command = [str(COPY / "build" / "debug" / "simulate"), "--seeds", "1", "--seed", str(seed)]
        ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
        if ended.returncode != 0:
            said = re.search(r"^seed \d+: .*$", ended.stdout, re.MULTILINE)
            return said.group(0) if said else (ended.stderr.strip().splitlines() or ["died"])[0]
    return None


def outcome(mutation: dict[str, str], seeds: int) -> tuple[bool, str]:
    path = COPY / SOURCES / mutation["file"]
    whole = path.read_text()
    if whole.count(mutation["before"]) != 1:
        return False, f"`before` stands {whole.count(mutation['before'])} times in {mutation['file']}"
    path.write_text(whole.replace(mutation["before"], mutation["after"]))
    try:
        built = build()
        if built.returncode != 0:
            return False, "does not compile: " + built.stderr.strip()[:400]
        said = noticed(seeds)
        return said is not None, said or f"not noticed by {seeds} seeds"
    finally:
        path.write_text(whole)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=40, help="seeds for each mutation, until one notices")
    parser.add_argument("--only", default="", help="only mutations whose name contains this")
    arguments = parser.parse_args()
    table = tomllib.loads((ROOT / "crates" / "simulation" / "mutations.toml").read_text())
    chosen = [mutation for mutation in table["mutation"] if arguments.only in mutation["name"]]
    copy_sources()
    if (whole := build()).returncode != 0 or (said := noticed(2)) is not None:
        print("nothing is mutated, and it fails:", whole.stderr[:400] or said)
        return 1
    overlooked = 0
    for mutation in chosen:
        seen, said = outcome(mutation, arguments.seeds)
        overlooked += not seen
        print(f"{'noticed   ' if seen else 'OVERLOOKED'}  {mutation['name']}: {said[:200]}", flush=True)
    print(f"{len(chosen) - overlooked} of {len(chosen)} noticed")
    return 1 if overlooked else 0


if __name__ == "__main__":
    sys.exit(main())
