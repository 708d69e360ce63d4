set(GTR_SANITIZE "" CACHE STRING "Sanitizers for all targets: address,undefined or thread")
if(GTR_SANITIZE)
  # -O1: with -O2 GCC takes minutes for each file of linear's micro-kernels, with it seconds.
  add_compile_options(-fsanitize=${GTR_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer -g -O1)
  add_link_options(-fsanitize=${GTR_SANITIZE})
endif()

# ThreadSanitizer takes the emulator's fibres for one thread that races with itself.
set(GTR_HAS_EMULATOR ${GTR_TESTS})
if(GTR_SANITIZE MATCHES "thread")
  set(GTR_HAS_EMULATOR OFF)
endif()
