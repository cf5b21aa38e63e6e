#!/usr/bin/env python3
"""Breaks one rule of the domain at a time and says whether the simulation notices.

    scripts/mutate.py [--seeds N] [--only TEXT]... [--jobs N]

The rules stand in crates/simulation/mutations.toml. Each job works on a copy of the sources in target/mutations, so that the
tree is left alone. Ends with 1 when a mutation was not noticed, cannot be applied or does not compile.
"""

import argparse
import os
import queue
import re
import shutil
import subprocess
import sys
import tomllib
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCES = Path("crates") / "domain" / "src"


class Copy:
    """The sources of one job, and what is built of them."""

    def __init__(self, job: int) -> None:
        self.path = ROOT / "target" / "mutations" / str(job)
        self.path.mkdir(parents=True, exist_ok=True)
        for name in ["Cargo.toml", "Cargo.lock", "rust-toolchain.toml"]:
            shutil.copy2(ROOT / name, self.path / name)
        for folder in ["crates", "migration", "tests", ".cargo"]:
            shutil.rmtree(self.path / folder, ignore_errors=True)
            # With the time of now: what was built last, of a mutation, is not taken for it.
            shutil.copytree(
                ROOT / folder, self.path / folder, ignore=shutil.ignore_patterns("target"), copy_function=shutil.copy
            )

    def build(self) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {"CARGO_TARGET_DIR": str(self.path / "build")}
        command = ["cargo", "build", "--quiet", "--locked", "-p", "suanpan-simulation", "--bin", "simulate"]
        return subprocess.run(command, cwd=self.path, env=environment, capture_output=True, text=True, check=False)

    def noticed(self, seeds: int) -> str | None:
        """What the first seed that notices says."""
        for seed in range(1, seeds + 1):
            command = [str(self.path / "build" / "debug" / "simulate"), "--seeds", "1", "--seed", str(seed)]
            try:
                ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
            except subprocess.TimeoutExpired:
                return f"seed {seed} does not end"
            if ended.returncode != 0:
                said = re.search(r"^seed \d+: .*$", ended.stdout, re.MULTILINE)
                return said.group(0) if said else (ended.stderr.strip().splitlines() or ["died"])[0]
        return None

    def outcome(self, mutation: dict[str, str], seeds: int) -> tuple[bool, str]:
        path = self.path / SOURCES / mutation["file"]
        whole = path.read_text()
        if (stands := whole.count(mutation["before"])) != 1:
            return False, f"`before` stands {stands} times in {mutation['file']}"
        path.write_text(whole.replace(mutation["before"], mutation["after"]))
        try:
            built = self.build()
            if built.returncode != 0:
                return False, "does not compile: " + built.stderr.strip()[:400]
            said = self.noticed(seeds)
            return said is not None, said or f"not noticed by {seeds} seeds"
        finally:
            path.write_text(whole)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=40, help="seeds for each mutation, until one notices")
    parser.add_argument("--only", action="append", help="only mutations whose name contains this; may be repeated")
    parser.add_argument("--jobs", type=int, default=2, help="mutations at a time, each with a copy of its own")
    arguments = parser.parse_args()
    table = tomllib.loads((ROOT / "crates" / "simulation" / "mutations.toml").read_text())
    texts = arguments.only or [""]
    chosen = [mutation for mutation in table["mutation"] if any(text in mutation["name"] for text in texts)]
    copies: queue.SimpleQueue[Copy] = queue.SimpleQueue()
    for job in range(arguments.jobs):
        copy = Copy(job)
        if (whole := copy.build()).returncode != 0 or (said := copy.noticed(2)) is not None:
            print("nothing is mutated, and it fails:", whole.stderr[:400] or said)
            return 1
        copies.put(copy)

    def tried(mutation: dict[str, str]) -> tuple[bool, str]:
        copy = copies.get()
        try:
            return copy.outcome(mutation, arguments.seeds)
        finally:
            copies.put(copy)

    overlooked = 0
    with ThreadPoolExecutor(arguments.jobs) as pool:
        running = {pool.submit(tried, mutation): mutation["name"] for mutation in chosen}
        for done in as_completed(running):
            seen, said = done.result()
            overlooked += not seen
            print(f"{'noticed   ' if seen else 'OVERLOOKED'}  {running[done]}: {said[:200]}", flush=True)
    print(f"{len(chosen) - overlooked} of {len(chosen)} noticed")
    return 1 if overlooked else 0


if __name__ == "__main__":
    sys.exit(main())
