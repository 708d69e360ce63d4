// Which rows frequency-weighted token selection takes.
#pragma once

#include <cstdint>
#include <vector>

namespace gtr::test::reference {

// 0 if fraction is 0 or n is 0, else max(1, floor(fraction n + 1/2)).
int64_t top_fraction_count(double fraction, int64_t n);

// For each row whether it is among the `selected` highest scores; equal scores: the lower cell first; NaN ranks lowest.
std::vector<bool> top_rows(const std::vector<double>& score, const std::vector<double>& cell, int64_t selected);

}  // namespace gtr::test::reference
