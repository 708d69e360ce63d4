// For registry_test: a library that is no backend's.
extern "C" __attribute__((visibility("default"))) int gtr_is_not_here() { return 0; }
