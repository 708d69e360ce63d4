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

# Functions that are not inlined follow their kernel; they must not spill either.
awk '
  /Compiling entry function/ {
    split($0, part, "\047")
    kernel = part[2]
    architecture = part[4]
  }
  /Function properties for/ { subject = $NF }
  /bytes stack frame/ {
    if ($5 > 0 || $9 > 0) {
      print "  " subject " for " architecture " spills: " $5 " bytes of stores, " $9 " of loads" >"/dev/stderr"
    }
    if (subject == kernel) properties = $1 " " $5 " " $9
  }
  /Used [0-9]+ registers/ && kernel != "" {
    registers = 0
    shared = 0
    for (i = 1; i <= NF; ++i) {
      if ($i == "Used") registers = $(i + 1)
      if ($i ~ /^smem/) shared = $(i - 2)
    }
    print architecture, registers, shared, properties, kernel
    kernel = ""
  }
' "$log" >"$object.kernels" 2>"$log.spills"

spills=$(cat "$log.spills")
dynamic=$(grep 'cannot be statically determined' "$log")
reported=$(grep -c 'Compiling entry function' "$log")
written=$(wc -l <"$object.kernels")
rm -f "$log" "$log.spills"
if [ -n "$spills$dynamic" ]; then
  printf 'kernels that need memory for what belongs in registers:\n%s\n%s\n' "$spills" "$dynamic" >&2
  rm -f "$object" "$object.kernels"
  exit 1
fi
if [ "$reported" -ne "$written" ]; then
  echo "check-kernels.sh: ptxas reported $reported kernels, of which $written were understood" >&2
  rm -f "$object" "$object.kernels"
  exit 1
fi
