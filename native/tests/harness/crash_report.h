// Says which case ran when the program crashes, which is how a read outside of a buffer shows.
#pragma once

#include <string>

namespace gtr::test {

void install_crash_report();
void set_running_case(const std::string& name);

}  // namespace gtr::test
