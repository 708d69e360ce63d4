#include "harness/case.h"

namespace gtr::test {

#define GTR_OPERATION(name) void add_##name##_cases(CaseList& cases);
#include "operations.inc"
#undef GTR_OPERATION

CaseList all_cases() {
  CaseList cases;
#define GTR_OPERATION(name)     \
  cases.begin_operation(#name); \
  add_##name##_cases(cases);
#include "operations.inc"
#undef GTR_OPERATION
  return cases;
}

}  // namespace gtr::test
