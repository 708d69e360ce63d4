# Compiler flags of each CPU tier's own files. Everything else is compiled for the baseline of the architecture, so that
# the library starts on any processor.
option(GTR_EMULATE_AMX "Tiles of the AMX tier in C++, for sanitizers and processors without; slow" OFF)
set(GTR_TIER_FLAGS_scalar "")
set(GTR_TIERS scalar)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  list(APPEND GTR_TIERS avx2 avx512 avx512bf16 amxbf16)
  set(GTR_TIER_FLAGS_avx2 -mavx2 -mfma -mf16c)
  # PREFETCHW is older than AVX-512; without its flag GCC would prefetch for reading.
  set(GTR_TIER_FLAGS_avx512 -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx2 -mfma -mf16c
    -mprfchw -mprefer-vector-width=512)
  set(GTR_TIER_FLAGS_avx512bf16 ${GTR_TIER_FLAGS_avx512} -mavx512bf16)
  # The instructions on tiles are written as assembly, which takes no flag.
  set(GTR_TIER_FLAGS_amxbf16 ${GTR_TIER_FLAGS_avx512bf16})
endif()
