// For registry_test: a backend's library that was built from other headers.
#include "plugin.h"

extern "C" __attribute__((visibility("default"))) const gtr::Plugin* gtr_backend_plugin(uint32_t,
                                                                                        const gtr::Services*) noexcept {
  static const gtr::Plugin plugin = {gtr::kPluginInterface + 1, "9.8.7+other", nullptr};
  return &plugin;
}
