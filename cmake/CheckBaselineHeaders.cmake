# The scalar tier and all that is compiled for the baseline include, directly or not, no header of x86 intrinsics: they
# compile for any processor.
#   cmake -DCXX=c++ -DFLAGS=-std=c++17|-Idir -DSOURCES=a.cpp|b.cpp -P CheckBaselineHeaders.cmake
string(REPLACE "|" ";" flags "${FLAGS}")
string(REPLACE "|" ";" sources "${SOURCES}")
set(bad)
foreach(source ${sources})
  execute_process(COMMAND ${CXX} ${flags} -M ${source} OUTPUT_VARIABLE headers COMMAND_ERROR_IS_FATAL ANY)
  if(headers MATCHES "[^ ]*/([a-z0-9]*intrin|cpuid)\\.h")
    list(APPEND bad "${source} includes ${CMAKE_MATCH_0}")
  endif()
endforeach()
if(bad)
  list(JOIN bad "\n  " text)
  message(FATAL_ERROR "headers of one processor in code for all:\n  ${text}")
endif()
list(LENGTH sources count)
message(STATUS "${count} files include no header of x86 intrinsics")
