// gtr_frequency_energy* and gtr_top_fraction*: every refusal.
#include <cmath>
#include <vector>

#include "fixture.h"

namespace gtr::test {
namespace {

constexpr gtr_status kInvalid = GTR_ERROR_INVALID_ARGUMENT;

void frequency_energy(const Fixture& f) {
  constexpr const char* kSize = "gtr_frequency_energy_scratch_size";
  int64_t bytes = -1;
  EXPECT_REFUSED(gtr_frequency_energy_scratch_size(nullptr, 4, 6, &bytes), kInvalid, kSize, "device", "is null");
  EXPECT_REFUSED(gtr_frequency_energy_scratch_size(f.device, -1, 6, &bytes), kInvalid, kSize, "rows", "rows is -1");
  EXPECT_REFUSED(gtr_frequency_energy_scratch_size(f.device, 4, 1, &bytes), kInvalid, kSize, "dim",
                 "dim is 1; allowed are 2 to 65536");
  EXPECT_REFUSED(gtr_frequency_energy_scratch_size(f.device, 4, 65537, &bytes), kInvalid, kSize, "dim", "dim is 65537");
  EXPECT_REFUSED(gtr_frequency_energy_scratch_size(f.device, 4, 6, nullptr), kInvalid, kSize, "bytes", "is null");
  EXPECT_OK(gtr_frequency_energy_scratch_size(f.device, 4, 6, &bytes));
  EXPECT(bytes >= 0);

  constexpr const char* kOperation = "gtr_frequency_energy";
  const Array<float> z({4, 6}, 1.0f), score({4}, 7.0f);
  const Scratch scratch(bytes);
  const auto call = [&](const gtr_tensor* z_, const gtr_tensor* score_) {
    return gtr_frequency_energy(f.stream, z_, score_, scratch.data, bytes);
  };
  refuse_null_stream(kOperation,
                     [&](gtr_stream* stream) { return gtr_frequency_energy(stream, &z, &score, scratch.data, bytes); });
  refuse_null(kOperation, "z", [&](const gtr_tensor* t) { return call(t, &score); });
  refuse_bad_tensor(kOperation, "z", z.tensor, {}, [&](const gtr_tensor* t) { return call(t, &score); });
  refuse_bad_output(kOperation, "score", score.tensor, {0}, {&z}, [&](const gtr_tensor* t) { return call(&z, t); });
  const Array<float> narrow({4, 1});
  EXPECT_REFUSED(call(&narrow, &score), kInvalid, kOperation, "z", "z.shape[1] is 1; allowed are 2 to 65536");
  EXPECT(score.values[0] == 7.0f && score.values[3] == 7.0f);
  refuse_bad_scratch(kOperation, scratch, bytes,
                     [&](void* data, int64_t size) { return gtr_frequency_energy(f.stream, &z, &score, data, size); });
}

void counts() {
  constexpr const char* kOperation = "gtr_top_fraction_count";
  int64_t selected = -1;
  for (const double fraction : {-0.1, 1.1, std::nan(""), HUGE_VAL}) {
    EXPECT_REFUSED(gtr_top_fraction_count(fraction, 5, &selected), kInvalid, kOperation, "fraction",
                   "allowed are 0 to 1");
  }
  EXPECT_REFUSED(gtr_top_fraction_count(0.5, -1, &selected), kInvalid, kOperation, "n", "n is -1");
  EXPECT_REFUSED(gtr_top_fraction_count(0.5, 5, nullptr), kInvalid, kOperation, "selected", "selected is null");
  const auto count = [&](double fraction, int64_t n) {
    selected = -1;
    EXPECT_OK(gtr_top_fraction_count(fraction, n, &selected));
    return selected;
  };
  EXPECT(count(0.1, 32) == 3);
  EXPECT(count(0.1, 35) == 4);  // 3.5 rounds up
  EXPECT(count(0.1, 1) == 1);   // at least one
  EXPECT(count(1e-300, 1000) == 1);
  EXPECT(count(0, 1000) == 0);
  EXPECT(count(0.5, 0) == 0);
  EXPECT(count(1, 7) == 7);
  EXPECT(count(1, INT64_MAX) == INT64_MAX);
}

void top_fraction(const Fixture& f) {
  constexpr const char* kSize = "gtr_top_fraction_scratch_size";
  int64_t bytes = -1;
  EXPECT_REFUSED(gtr_top_fraction_scratch_size(nullptr, 4, &bytes), kInvalid, kSize, "device", "is null");
  EXPECT_REFUSED(gtr_top_fraction_scratch_size(f.device, -1, &bytes), kInvalid, kSize, "rows", "rows is -1");
  EXPECT_REFUSED(gtr_top_fraction_scratch_size(f.device, 4, nullptr), kInvalid, kSize, "bytes", "is null");
  EXPECT_OK(gtr_top_fraction_scratch_size(f.device, 8, &bytes));

  constexpr const char* kOperation = "gtr_top_fraction";
  const Array<float> score({8}, 1.0f);
  const Array<uint32_t> cell({8});
  const Array<int32_t> place({8}, -7);
  const Scratch scratch(bytes);
  // Two images of four rows: one selected row each to places 0, 1, the others to 2..4, 5..7.
  const std::vector<gtr_segment> good = {{0, 4, 1, 0, 2}, {4, 4, 1, 1, 5}};
  const auto call = [&](const gtr_tensor* score_, const gtr_tensor* cell_, const std::vector<gtr_segment>& segments,
                        const gtr_tensor* place_) {
    return gtr_top_fraction(f.stream, score_, cell_, segments.data(), static_cast<int64_t>(segments.size()), place_,
                            scratch.data, bytes);
  };
  refuse_null_stream(kOperation, [&](gtr_stream* stream) {
    return gtr_top_fraction(stream, &score, &cell, good.data(), 2, &place, scratch.data, bytes);
  });
  const auto with_score = [&](const gtr_tensor* t) { return call(t, &cell, good, &place); };
  const auto with_cell = [&](const gtr_tensor* t) { return call(&score, t, good, &place); };
  const auto with_place = [&](const gtr_tensor* t) { return call(&score, &cell, good, t); };
  refuse_null(kOperation, "score", with_score);
  refuse_bad_tensor(kOperation, "score", score.tensor, {}, with_score);
  refuse_null(kOperation, "cell", with_cell);
  refuse_bad_tensor(kOperation, "cell", cell.tensor, {0}, with_cell);
  refuse_bad_output(kOperation, "place", place.tensor, {}, {&score, &cell}, with_place);
  EXPECT_REFUSED(gtr_top_fraction(f.stream, &score, &cell, nullptr, 2, &place, scratch.data, bytes), kInvalid,
                 kOperation, "segments", "segments is null");
  EXPECT_REFUSED(gtr_top_fraction(f.stream, &score, &cell, good.data(), -1, &place, scratch.data, bytes), kInvalid,
                 kOperation, "segment_count", "segment_count is -1");

  const auto refused = [&](gtr_segment second, const char* text) {
    EXPECT_REFUSED(call(&score, &cell, {good[0], second}, &place), kInvalid, kOperation, "segments", text);
  };
  refused({-1, 4, 1, 1, 5}, "segments[1].first is -1; allowed are 0 to 8 (rows of score)");
  refused({9, 0, 0, 1, 5}, "segments[1].first is 9");
  refused({4, 5, 1, 1, 5}, "segments[1].count is 5; allowed are 0 to 4 (rows left from first)");
  refused({4, -1, 1, 1, 5}, "segments[1].count is -1");
  refused({4, INT32_MAX, 1, 1, 5}, "segments[1].count is 2147483647");
  refused({4, 4, 5, 1, 5}, "segments[1].selected is 5; allowed are 0 to 4 (its count)");
  refused({4, 4, -1, 1, 5}, "segments[1].selected is -1");
  refused({4, 4, 1, 8, 5}, "segments[1].selected_at is 8; allowed are 0 to 7");
  refused({4, 4, 1, -1, 5}, "segments[1].selected_at is -1");
  refused({4, 4, 1, 1, 6}, "segments[1].rest_at is 6; allowed are 0 to 5");
  refused({4, 4, 1, 1, -1}, "segments[1].rest_at is -1");
  refused({3, 4, 1, 1, 5}, "segments[0] and [1] have rows that overlap");
  refused({0, 4, 1, 1, 5}, "segments[0] and [1] have rows that overlap");
  refused({4, 4, 1, 0, 5}, "segments[0] and [1] have target ranges that overlap");
  refused({4, 4, 1, 1, 4}, "segments[0] and [1] have target ranges that overlap");
  refused({4, 4, 1, 5, 5}, "segments[1] has target ranges that overlap");
  bool unchanged = true;
  for (const int32_t value : place.values) unchanged = unchanged && value == -7;
  EXPECT(unchanged);

  EXPECT_OK(call(&score, &cell, {}, &place));
  EXPECT_OK(call(&score, &cell, {good[1], good[0]}, &place));  // any order
  EXPECT_OK(call(&score, &cell, {{0, 4, 2, 6, 0}, {4, 0, 0, 0, 0}, {4, 4, 0, 0, 2}}, &place));
  EXPECT_OK(call(&score, &cell, {{4, 4, 2, 0, 6}, {0, 4, 2, 4, 2}}, &place));
  refuse_bad_scratch(kOperation, scratch, bytes, [&](void* data, int64_t size) {
    return gtr_top_fraction(f.stream, &score, &cell, good.data(), 2, &place, data, size);
  });
}

}  // namespace
}  // namespace gtr::test

int main() {
  using namespace gtr::test;
  {
    const Fixture f;
    frequency_energy(f);
    counts();
    top_fraction(f);
  }
  return result();
}
