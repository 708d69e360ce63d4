#!/bin/sh
# Compiles one .cu file and looks at what ptxas says of its kernels: registers that spill to memory, or a stack whose size
# is not known, fail the compilation. Writes OBJECT.kernels, a line for each kernel and architecture: architecture,
# registers, bytes of static shared memory, of stack, of spill stores, of spill loads, mangled name.
# Usage, as a compiler launcher: check-kernels.sh NVCC ARGUMENTS
set -u
object=
previous=
for argument in "$@"; do
  if [ "$previous" = -o ]; then
    object=$argument
  fi
  previous=$argument
done
if [ -z "$object" ]; then
  exec "$@"
fi

log=$object.ptxas
"$@" -Xptxas=-v >"$log" 2>&1
status=$?
# What is not ptxas' report is for the reader.
grep -v -e '^ptxas info ' -e 'bytes stack frame,.*bytes spill' "$log" >&2
if [ $status -ne 0 ]; then
  rm -f "$log"
  exit $status
fi

awk '
  /Compiling entry function/ {
    split($0, part, "\047")
    name = part[2]
    architecture = part[4]
    next
  }
  /bytes stack frame/ {
    stack = $1
    stores = $5
    loads = $9
    next
  }
  /Used [0-9]+ registers/ && name != "" {
    registers = 0
    shared = 0
    for (i = 1; i <= NF; ++i) {
      if ($i == "Used") registers = $(i + 1)
      if ($i ~ /^smem/) shared = $(i - 1)
    }
    print architecture, registers, shared, stack, stores, loads, name
    name = ""
  }
' "$log" >"$object.kernels"

bad=$(awk '$5 > 0 || $6 > 0 { print "  " $7 " for " $1 " spills: " $5 " bytes of stores, " $6 " of loads" }' \
  "$object.kernels")
dynamic=$(grep 'cannot be statically determined' "$log")
reported=$(grep -c 'Compiling entry function' "$log")
written=$(wc -l <"$object.kernels")
rm -f "$log"
if [ -n "$bad$dynamic" ]; then
  printf 'kernels that need memory for what belongs in registers:\n%s%s\n' "$bad" "$dynamic" >&2
  rm -f "$object" "$object.kernels"
  exit 1
fi
if [ "$reported" -ne "$written" ]; then
  echo "check-kernels.sh: ptxas reported $reported kernels, of which $written were understood" >&2
  rm -f "$object" "$object.kernels"
  exit 1
fi
