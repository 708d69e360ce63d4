// The places of kernels that wait: which were reached, and which one is to be skipped.
#pragma once

#include <string>

#include "device.h"

namespace gtr::cuda::emu {

// Called by every function that waits. True if GTR_EMU_REMOVE names the site: the call must then do nothing.
bool is_removed_or_recorded(Site site);
extern const bool kSitesMatter;  // false if the environment asks for neither
inline bool is_removed(Site site) { return kSitesMatter && is_removed_or_recorded(site); }

// "attention.cu".
const char* file_of(Site site);
// "attention.cu:123"
std::string site_text(Site site);

}  // namespace gtr::cuda::emu
