# Files of a tier are compiled with its instructions. An inline function or template from elsewhere (std::min, a helper
# in a shared header) that they instantiate becomes a weak symbol, of which the linker keeps any one copy for the whole
# library: perhaps the one full of AVX-512, which then runs on a processor without. So every symbol that leaves a tier's
# object file must lie in the tier's own namespace.
#   cmake -DNM=nm -DOBJECTS=a.o|b.o -DTIERS=avx2|avx512 -P CheckTierSymbols.cmake
string(REPLACE "|" ";" objects "${OBJECTS}")
string(REPLACE "|" ";" tiers "${TIERS}")
set(seen 0)
set(bad)
foreach(tier ${tiers})
  string(LENGTH ${tier} length)
  foreach(object ${objects})
    if(NOT object MATCHES "/cpu/${tier}/")
      continue()
    endif()
    math(EXPR seen "${seen} + 1")
    execute_process(COMMAND ${NM} --defined-only --extern-only --format=posix ${object}
      OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY)
    string(REGEX MATCHALL "[^\n]+" lines "${symbols}")
    foreach(line ${lines})
      string(REGEX REPLACE " .*" "" name "${line}")
      # _ZN3gtr3cpu4avx2..., with prefixes for members of functions, guards and type tables.
      if(NOT name MATCHES "^_Z(Z|GV|T[A-Z])*N?[KVRO]*3gtr3cpu${length}${tier}")
        list(APPEND bad "${object}: ${name}")
      endif()
    endforeach()
  endforeach()
endforeach()
if(seen EQUAL 0)
  message(FATAL_ERROR "no object file of a tier among ${OBJECTS}")
endif()
if(bad)
  list(JOIN bad "\n  " text)
  message(FATAL_ERROR "symbols outside the namespace of their tier:\n  ${text}")
endif()
message(STATUS "${seen} object files keep to their tier's namespace")
