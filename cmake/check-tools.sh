#!/bin/sh
# Are the tools that the native build needs there? One line for each that is missing, with the Debian package that has
# it; exit status 1 if any is. Run by Maven before CMake.
missing=0
miss() {
  echo "gtr4j: $1 is missing; install it with: apt-get install $2" >&2
  missing=1
}

# Is version $1 at least $2.$3?
at_least() {
  major=${1%%.*}
  rest=${1#*.}
  minor=${rest%%.*}
  [ "$major" -gt "$2" ] || { [ "$major" -eq "$2" ] && [ "$minor" -ge "$3" ]; }
}

if ! command -v cmake >/dev/null 2>&1; then
  miss "CMake 3.25 or newer" cmake
else
  version=$(cmake --version 2>/dev/null | sed -n 's/^cmake version \([0-9][0-9]*\.[0-9][0-9]*\).*/\1/p')
  if [ -z "$version" ] || ! at_least "$version" 3 25; then
    miss "CMake 3.25 or newer (found ${version:-one that does not run})" cmake
  fi
fi

if ! command -v ninja >/dev/null 2>&1 && ! command -v make >/dev/null 2>&1; then
  miss "Ninja or make" ninja-build
fi

# As CMake picks it: CXX, else the usual names. It must be able to compile C++17.
compiler=
for candidate in ${CXX:-c++ g++ clang++}; do
  if command -v "$candidate" >/dev/null 2>&1; then
    compiler=$candidate
    break
  fi
done
if [ -z "$compiler" ]; then
  miss "a C++17 compiler${CXX:+ (CXX is $CXX)}" g++
elif ! printf '#include <optional>\nint main() { return std::optional<int>(0).value(); }\n' |
    "$compiler" -std=c++17 -x c++ -fsyntax-only - >/dev/null 2>&1; then
  miss "a C++17 compiler ($compiler cannot compile a C++17 program)" g++
fi

exit $missing
