#!/usr/bin/env python3
"""Holds the project's rules. Usage: tidy.py {includes|headers|bans|freestanding} --root DIR [options]."""
import argparse
import sys
from pathlib import Path

import bans
import freestanding
import headers
import includes


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("group", choices=("includes", "headers", "bans", "freestanding"))
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parents[2])
    parser.add_argument("--cache", type=Path, help="folder that remembers headers which compiled (default: ROOT/build/tidy-cache)")
    parser.add_argument("--compiler", default="g++")
    parser.add_argument("--include-dir", action="append", default=[], help="folder of third-party headers")
    args = parser.parse_args()
    root = args.root.resolve()
    if args.group == "includes":
        findings = includes.check(root)
    elif args.group == "headers":
        findings = headers.check(root, args.cache or root / "build" / "tidy-cache", args.compiler, args.include_dir)
    elif args.group == "bans":
        findings = bans.check(root)
    else:
        findings = freestanding.check(root)
    for finding in sorted(findings):
        print(finding)
    print(f"tidy {args.group}: {len(findings)} finding(s)")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
