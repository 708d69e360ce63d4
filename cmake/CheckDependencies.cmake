# The library needs nothing but glibc: libstdc++ and libgcc are linked statically, since those of a process may be
# older.
#   cmake -DREADELF=readelf -DLIBRARY=libgtr.so -P CheckDependencies.cmake
execute_process(COMMAND ${READELF} --dynamic --wide ${LIBRARY} OUTPUT_VARIABLE dynamic COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "\\(NEEDED\\)[^\n]*" needed "${dynamic}")
if(NOT needed)
  message(FATAL_ERROR "${LIBRARY} needs no library at all, not even libc: readelf said\n${dynamic}")
endif()
set(names)
foreach(line ${needed})
  string(REGEX REPLACE ".*\\[(.*)\\].*" "\\1" name "${line}")
  list(APPEND names ${name})
  if(NOT name MATCHES "^(libc|libm|libpthread|libdl|librt|ld-linux-[a-z0-9_-]+)\\.so\\.[0-9]+$")
    message(FATAL_ERROR "${LIBRARY} needs ${name}; allowed are the libraries of glibc")
  endif()
endforeach()
list(JOIN names " " text)
message(STATUS "needs ${text}")
