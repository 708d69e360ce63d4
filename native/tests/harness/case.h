// The list of cases that every backend and tier runs.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "harness/trial.h"

namespace gtr::test {

struct Case {
  std::string operation;
  std::string name;
  // Where its buffers lie, one run each: a large case has one placement only.
  std::vector<Placement> placements;
  std::function<void(Trial&)> body;
};

class CaseList {
 public:
  // Run with every placement of its buffers.
  void add(std::string name, std::function<void(Trial&)> body) {
    cases_.push_back({operation_,
                      std::move(name),
                      {Placement::kEndsAtGuard, Placement::kStartsAtGuard, Placement::kUnaligned},
                      std::move(body)});
  }

  // Run once: large, or not about memory.
  void add_once(std::string name, std::function<void(Trial&)> body) {
    cases_.push_back({operation_, std::move(name), {Placement::kEndsAtGuard}, std::move(body)});
  }

  void begin_operation(std::string operation) { operation_ = std::move(operation); }
  const std::vector<Case>& cases() const { return cases_; }

 private:
  std::string operation_;
  std::vector<Case> cases_;
};

// "rows 3 width 17" from ("rows", 3, "width", 17): names of cases.
template <typename... Parts>
std::string describe(Parts... parts) {
  std::string text;
  const auto append = [&text](const auto& part) {
    if (!text.empty()) text += ' ';
    using Part = std::decay_t<decltype(part)>;
    if constexpr (std::is_same_v<Part, std::string> || std::is_convertible_v<Part, const char*>) {
      text += part;
    } else {
      text += std::to_string(part);
    }
  };
  (append(parts), ...);
  return text;
}

// All operations in alphabetical order. Every file operations/NAME.cpp defines add_NAME_cases; the build lists them.
CaseList all_cases();

}  // namespace gtr::test
