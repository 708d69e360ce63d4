# Finds nvcc and what it compiles for. Sets GTR_HAS_CUDA.
#   GTR_CUDA                AUTO: the CUDA backend is built if there is an nvcc; ON: it must be; OFF: it is not
#   GTR_CUDA_ARCHITECTURES  a list such as 80;90, or `all`: every one of 80, 86, 89, 90, 100 and 120 that nvcc knows.
#                           Machine code for each, and PTX of the newest for cards yet to come. A developer's build takes
#                           one: 80, the oldest, whose PTX runs on every card that the backend supports
set(GTR_CUDA AUTO CACHE STRING "Build the CUDA backend: AUTO, ON or OFF")
set_property(CACHE GTR_CUDA PROPERTY STRINGS AUTO ON OFF)
set(GTR_CUDA_ARCHITECTURES 80 CACHE STRING "Compute capabilities that the CUDA backend is compiled for, or all")
set(GTR_HAS_CUDA FALSE)
if(NOT GTR_CUDA)
  message(STATUS "CUDA backend: not built, since GTR_CUDA is ${GTR_CUDA}")
  return()
endif()

if(NOT CMAKE_CUDA_COMPILER)
  # By name on the PATH, or where toolkits are installed.
  find_program(GTR_NVCC nvcc HINTS ENV CUDACXX ENV CUDAToolkit_ROOT ENV CUDA_HOME ENV CUDA_PATH
    PATHS /usr/local/cuda /opt/cuda PATH_SUFFIXES bin)
  mark_as_advanced(GTR_NVCC)
  if(NOT GTR_NVCC)
    if(GTR_CUDA STREQUAL AUTO)
      message(STATUS "CUDA backend: not built, since there is no nvcc on the PATH or in /usr/local/cuda")
      return()
    endif()
    message(FATAL_ERROR "GTR_CUDA is ${GTR_CUDA}, but there is no nvcc on the PATH or in /usr/local/cuda")
  endif()
  set(CMAKE_CUDA_COMPILER ${GTR_NVCC})
endif()

execute_process(COMMAND ${CMAKE_CUDA_COMPILER} --list-gpu-code OUTPUT_VARIABLE known RESULT_VARIABLE failed
  ERROR_VARIABLE known_error)
string(REGEX MATCHALL "sm_[0-9]+" known "${known}")
if(failed OR NOT known)
  message(FATAL_ERROR "${CMAKE_CUDA_COMPILER} does not say what it compiles for: ${known_error}\n"
    "To build without it: -DGTR_CUDA=OFF")
endif()
if(GTR_CUDA_ARCHITECTURES STREQUAL all)
  set(cuda_architectures)
  foreach(architecture 80 86 89 90 100 120)
    if(sm_${architecture} IN_LIST known)
      list(APPEND cuda_architectures ${architecture})
    endif()
  endforeach()
else()
  set(cuda_architectures ${GTR_CUDA_ARCHITECTURES})
  list(SORT cuda_architectures COMPARE NATURAL)
  list(REMOVE_DUPLICATES cuda_architectures)
  foreach(architecture ${cuda_architectures})
    if(NOT sm_${architecture} IN_LIST known OR architecture LESS 80)
      list(JOIN known " " text)
      message(FATAL_ERROR "GTR_CUDA_ARCHITECTURES has ${architecture}; allowed are `all`, and numbers from 80 of what "
        "${CMAKE_CUDA_COMPILER} knows: ${text}")
    endif()
  endforeach()
endif()
list(GET cuda_architectures -1 GTR_CUDA_PTX)
set(GTR_CUDA_MACHINE_CODE ${cuda_architectures})
list(TRANSFORM cuda_architectures APPEND -real)
set(CMAKE_CUDA_ARCHITECTURES ${cuda_architectures} ${GTR_CUDA_PTX}-virtual)

set(CMAKE_CUDA_STANDARD 17)
set(CMAKE_CUDA_STANDARD_REQUIRED ON)
set(CMAKE_CUDA_EXTENSIONS OFF)
set(CMAKE_CUDA_VISIBILITY_PRESET hidden)
set(CMAKE_CUDA_RUNTIME_LIBRARY Static)
enable_language(CUDA)
set(GTR_HAS_CUDA TRUE)
list(JOIN GTR_CUDA_MACHINE_CODE " " text)
message(STATUS "CUDA backend: nvcc ${CMAKE_CUDA_COMPILER_VERSION}, machine code for ${text}, PTX of ${GTR_CUDA_PTX}")
