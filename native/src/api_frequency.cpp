// Frequency-weighted token selection: energies, and the top fraction of each image.
#include <cmath>

#include "check.h"
#include "handles.h"

using namespace gtr;

namespace {

constexpr int64_t kMinDim = 2;
constexpr int64_t kMaxDim = 65536;

// Half-open range of rows or places of a segment.
struct Range {
  int64_t begin;
  int64_t end;
};

bool overlap(Range a, Range b) noexcept { return a.begin < b.end && b.begin < a.end; }

Range rows_of(const gtr_segment& s) noexcept { return {s.first, int64_t{s.first} + s.count}; }
Range selected_of(const gtr_segment& s) noexcept { return {s.selected_at, int64_t{s.selected_at} + s.selected}; }
Range rest_of(const gtr_segment& s) noexcept { return {s.rest_at, int64_t{s.rest_at} + s.count - s.selected}; }

// Each segment alone.
bool check_segment(Check& check, const gtr_segment& s, long long i, int64_t rows, int64_t places) noexcept {
  const auto refuse = [&](const char* field, long long value, long long highest, const char* meaning) {
    return check.fail(GTR_ERROR_INVALID_ARGUMENT, "segments", "segments[%lld].%s is %lld; allowed are 0 to %lld (%s)",
                      i, field, value, highest, meaning);
  };
  if (s.first < 0 || s.first > rows) return refuse("first", s.first, rows, "rows of score");
  if (s.count < 0 || s.count > rows - s.first) return refuse("count", s.count, rows - s.first, "rows left from first");
  if (s.selected < 0 || s.selected > s.count) return refuse("selected", s.selected, s.count, "its count");
  const int64_t last_selected = places - s.selected;
  const int64_t last_rest = places - (s.count - s.selected);
  if (s.selected_at < 0 || s.selected_at > last_selected) {
    return refuse("selected_at", s.selected_at, last_selected, "so that its rows lie in place");
  }
  if (s.rest_at < 0 || s.rest_at > last_rest) {
    return refuse("rest_at", s.rest_at, last_rest, "so that its rows lie in place");
  }
  return true;
}

// The usual order of a caller: rows, selected places and other places each ascend, and all selected places lie before
// or after all others. One pass then shows that nothing overlaps.
bool plainly_apart(const gtr_segment* segments, int64_t count) noexcept {
  Range rows{0, 0}, selected{INT64_MAX, 0}, rest{INT64_MAX, 0};
  const auto follows = [](Range next, Range& all) {
    if (next.begin == next.end) return true;
    if (next.begin < all.end) return false;
    if (all.begin == INT64_MAX) all.begin = next.begin;
    all.end = next.end;
    return true;
  };
  for (int64_t i = 0; i < count; ++i) {
    if (!follows(rows_of(segments[i]), rows) || !follows(selected_of(segments[i]), selected) ||
        !follows(rest_of(segments[i]), rest)) {
      return false;
    }
  }
  return selected.end <= rest.begin || rest.end <= selected.begin;
}

bool check_apart(Check& check, const gtr_segment* segments, int64_t count) noexcept {
  if (plainly_apart(segments, count)) return true;
  for (int64_t i = 0; i < count; ++i) {
    const gtr_segment& a = segments[i];
    const Range a_targets[] = {selected_of(a), rest_of(a)};
    if (overlap(a_targets[0], a_targets[1])) {
      return check.fail(GTR_ERROR_INVALID_ARGUMENT, "segments",
                        "segments[%lld] has target ranges that overlap; allowed are ranges apart",
                        static_cast<long long>(i));
    }
    for (int64_t j = 0; j < i; ++j) {
      const gtr_segment& b = segments[j];
      bool places = false;
      for (const Range target : a_targets) {
        places = places || overlap(target, selected_of(b)) || overlap(target, rest_of(b));
      }
      if (places || overlap(rows_of(a), rows_of(b))) {
        return check.fail(GTR_ERROR_INVALID_ARGUMENT, "segments",
                          "segments[%lld] and [%lld] have %s that overlap; allowed are ranges apart",
                          static_cast<long long>(j), static_cast<long long>(i), places ? "target ranges" : "rows");
      }
    }
  }
  return true;
}

}  // namespace

gtr_status gtr_frequency_energy_scratch_size(gtr_device* device, int64_t rows, int64_t dim, int64_t* bytes) {
  Check check("gtr_frequency_energy_scratch_size");
  check.not_null("device", device);
  check.range("rows", rows, 0, kMaxRows);
  check.range("dim", dim, kMinDim, kMaxDim);
  check.not_null("bytes", bytes);
  if (!check.ok()) return check.status();
  *bytes = device->backend->frequency_energy_scratch_size(device->implementation, rows, dim);
  return GTR_OK;
}

gtr_status gtr_frequency_energy(gtr_stream* stream, const gtr_tensor* z, const gtr_tensor* score, void* scratch,
                                int64_t scratch_size) {
  Check check("gtr_frequency_energy");
  const StreamUse use(check, stream);
  if (!check.input("z", z, kF32, {any(), any()})) return check.status();
  check.size("z", *z, 0, 0, kMaxRows);
  check.size("z", *z, 1, kMinDim, kMaxDim);
  check.output("score", score, kF32, {{z->shape[0], "rows of z"}});
  if (!check.ok()) return check.status();
  const Backend& backend = *stream->device->backend;
  const int64_t required =
      backend.frequency_energy_scratch_size(stream->device->implementation, z->shape[0], z->shape[1]);
  if (!check.scratch(scratch, scratch_size, required)) return check.status();
  return run_on(stream, check, *score,
                [&] { return backend.frequency_energy(stream->implementation, *z, *score, scratch); });
}

gtr_status gtr_top_fraction_count(double fraction, int64_t n, int64_t* selected) {
  Check check("gtr_top_fraction_count");
  if (!(fraction >= 0 && fraction <= 1)) {  // also NaN
    check.fail(GTR_ERROR_INVALID_ARGUMENT, "fraction", "fraction is %g; allowed are 0 to 1", fraction);
  }
  check.range("n", n, 0, INT64_MAX);
  check.not_null("selected", selected);
  if (!check.ok()) return check.status();
  if (fraction == 0 || n == 0) {
    *selected = 0;
    return GTR_OK;
  }
  // Above 2^53 a double cannot hold every n; all of them is the most that can be meant.
  const double rounded = std::floor(fraction * static_cast<double>(n) + 0.5);
  const int64_t whole = rounded >= static_cast<double>(n) ? n : static_cast<int64_t>(rounded);
  *selected = whole < 1 ? 1 : whole;
  return GTR_OK;
}

gtr_status gtr_top_fraction_scratch_size(gtr_device* device, int64_t rows, int64_t* bytes) {
  Check check("gtr_top_fraction_scratch_size");
  check.not_null("device", device);
  check.range("rows", rows, 0, kMaxRows);
  check.not_null("bytes", bytes);
  if (!check.ok()) return check.status();
  *bytes = device->backend->top_fraction_scratch_size(device->implementation, rows);
  return GTR_OK;
}

gtr_status gtr_top_fraction(gtr_stream* stream, const gtr_tensor* score, const gtr_tensor* cell,
                            const gtr_segment* segments, int64_t segment_count, const gtr_tensor* place, void* scratch,
                            int64_t scratch_size) {
  Check check("gtr_top_fraction");
  const StreamUse use(check, stream);
  if (!check.input("score", score, kF32, {any()})) return check.status();
  const int64_t rows = score->shape[0];
  check.size("score", *score, 0, 0, kMaxRows);
  check.input("cell", cell, kU32, {{rows, "entries of score"}});
  check.output("place", place, kI32, {any()});
  check.range("segment_count", segment_count, 0, kMaxRows);
  if (check.ok() && segment_count > 0) check.not_null("segments", segments);
  for (int64_t i = 0; check.ok() && i < segment_count; ++i) {
    check_segment(check, segments[i], i, rows, place->shape[0]);
  }
  if (check.ok()) check_apart(check, segments, segment_count);
  if (!check.ok()) return check.status();
  const Backend& backend = *stream->device->backend;
  const int64_t required = backend.top_fraction_scratch_size(stream->device->implementation, rows);
  if (!check.scratch(scratch, scratch_size, required)) return check.status();
  return run_on(stream, check, *place, [&] {
    return backend.top_fraction(stream->implementation, *score, *cell, segments, segment_count, *place, scratch);
  });
}
