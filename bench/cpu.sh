#!/usr/bin/env bash
# The CPU's operations beside libtorch's: builds what is missing or older than its sources, measures, and prints a report.
#
#   bench/cpu.sh [--quick] [--filter REGEX] [--threads N] [--model b,l,h] [--out PREFIX] [--list]
#
# bench/cpu.sh --help explains the options. The build needs what README.md lists; its output goes to stderr.
set -euo pipefail
cd "$(dirname "$0")/.."

jar() { find bench/cpu/target -maxdepth 1 -name 'gtr4j-bench-cpu-*.jar' 2>/dev/null | head -n 1; }

# Folders count too: theirs is the time at which a file vanished.
sources=(pom.xml CMakeLists.txt cmake native {java/core,bench/cpu}/{pom.xml,src/main})
if [ -z "$(jar)" ] || [ -n "$(find "${sources[@]}" -newer "$(jar)" -print -quit)" ]; then
  mvn -B -ntp -q -pl java/core,bench/cpu -DskipTests package >&2
  touch "$(jar)" # which Maven leaves alone where only java/core changed
fi
exec java -jar "$(jar)" "$@"
