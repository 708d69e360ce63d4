#include "gtr/gtr.h"

uint32_t gtr_abi_version(void) { return GTR_ABI_VERSION; }

const char* gtr_version(void) { return GTR_VERSION_STAMP; }
