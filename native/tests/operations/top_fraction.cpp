#include "reference/top_fraction.h"

#include <cmath>
#include <limits>

#include "harness/case.h"

namespace gtr::test {
namespace {

enum class Scores { kRandom, kManyTies, kAllEqual, kSomeNan, kAllNan, kExtremes };

void fill_scores(Trial& trial, Scores kind, Tensor& score) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  constexpr double kExtremes[] = {HUGE_VAL, -HUGE_VAL, 0, -0.0, kNan, 3e38, -3e38, 1e-45};
  score.fill([&](int64_t) {
    Random& random = trial.random();
    switch (kind) {
      case Scores::kManyTies:
        return static_cast<double>(random.integer(0, 3));
      case Scores::kAllEqual:
        return 5.0;
      case Scores::kSomeNan:
        return random.integer(0, 2) ? random.uniform(-1, 1) : kNan;
      case Scores::kAllNan:
        return kNan;
      case Scores::kExtremes:
        return kExtremes[random.integer(0, 7)];
      case Scores::kRandom:
        break;
    }
    return random.uniform(-1, 1);
  });
}

// Segments with these counts and selections. Their rows lie in another order than the segments, with a gap of two rows
// that belong to none; all selected rows of all segments go to the front of place, the others behind them.
void run_segments(Trial& trial, Scores kind, const std::vector<std::pair<int32_t, int32_t>>& counts) {
  std::vector<gtr_segment> segments;
  int32_t rows = 2;
  for (size_t i = counts.size(); i-- > 0;) {
    segments.insert(segments.begin(), gtr_segment{rows, counts[i].first, counts[i].second, 0, 0});
    rows += counts[i].first;
  }
  int32_t selected_at = 1;  // place[0] belongs to nobody
  for (gtr_segment& segment : segments) {
    segment.selected_at = selected_at;
    selected_at += segment.selected;
  }
  int32_t rest_at = selected_at + 1;
  for (gtr_segment& segment : segments) {
    segment.rest_at = rest_at;
    rest_at += segment.count - segment.selected;
  }
  Tensor score(trial, "score", Role::kInput, GTR_F32, {rows});
  Tensor cell(trial, "cell", Role::kInput, GTR_U32, {rows});
  Tensor place(trial, "place", Role::kInOut, GTR_I32, {rest_at + 1});
  fill_scores(trial, kind, score);
  // Cells in no order of rows, some beyond the range of int32.
  cell.fill([&](int64_t i) { return static_cast<double>((static_cast<uint32_t>(i) * 2654435761u) ^ 0x80000000u); });
  place.fill([](int64_t i) { return static_cast<double>(-100 - i); });
  std::vector<double> expected = place.values();
  std::vector<bool> written(expected.size());
  for (const gtr_segment& segment : segments) {
    std::vector<double> own_scores;
    std::vector<double> own_cells;
    for (int32_t i = 0; i < segment.count; ++i) {
      own_scores.push_back(score.get(segment.first + i));
      own_cells.push_back(cell.get(segment.first + i));
    }
    const std::vector<bool> chosen = reference::top_rows(own_scores, own_cells, segment.selected);
    int32_t at[] = {segment.rest_at, segment.selected_at};
    for (int32_t i = 0; i < segment.count; ++i) {
      const auto target = static_cast<size_t>(at[chosen[static_cast<size_t>(i)]]++);
      expected[target] = segment.first + i;
      written[target] = true;
    }
  }
  for (size_t i = 0; i < written.size(); ++i) {
    if (!written[i]) place.leave_alone(static_cast<int64_t>(i));
  }
  int64_t bytes = -1;
  require_ok(gtr_top_fraction_scratch_size(trial.target().device(), rows, &bytes), "gtr_top_fraction_scratch_size");
  Scratch scratch(trial, bytes);
  trial.run("gtr_top_fraction", [&] {
    return gtr_top_fraction(trial.target().stream(), score.view(), cell.view(), segments.data(),
                            static_cast<int64_t>(segments.size()), place.view(), scratch.data(), scratch.size());
  });
  trial.compare(place, expected, kExact);
}

void run_counts(Trial& trial) {
  // floor(beta n + 1/2) in double, at least 1.
  for (const double fraction : {0.0, 1e-9, 0.1, 0.25, 1.0 / 3, 0.5, 0.95, 1.0}) {
    for (int64_t n = 0; n <= 300; ++n) {
      int64_t selected = -1;
      require_ok(gtr_top_fraction_count(fraction, n, &selected), "gtr_top_fraction_count");
      const int64_t expected = reference::top_fraction_count(fraction, n);
      if (selected != expected) {
        trial.fail("count(%g, %lld) is %lld, not %lld", fraction, static_cast<long long>(n),
                   static_cast<long long>(selected), static_cast<long long>(expected));
      }
    }
  }
}

}  // namespace

void add_top_fraction_cases(CaseList& cases) {
  struct Named {
    Scores scores;
    const char* name;
  };
  for (const Named kind :
       {Named{Scores::kRandom, "random"}, Named{Scores::kManyTies, "many ties"}, Named{Scores::kAllEqual, "all equal"},
        Named{Scores::kSomeNan, "some NaN"}, Named{Scores::kAllNan, "all NaN"}, Named{Scores::kExtremes, "extremes"}}) {
    for (const auto& count : {std::pair<int32_t, int32_t>{1, 0},
                              {1, 1},
                              {2, 1},
                              {32, 0},
                              {32, 3},
                              {32, 32},
                              {33, 16},
                              {128, 13},
                              {1000, 100}}) {
      cases.add(describe(kind.name, count.second, "of", count.first),
                [=](Trial& trial) { run_segments(trial, kind.scores, {count}); });
    }
    cases.add(describe(kind.name, "several segments"), [=](Trial& trial) {
      run_segments(trial, kind.scores, {{32, 3}, {1, 1}, {0, 0}, {17, 0}, {5, 5}, {64, 6}, {2, 1}});
    });
  }
  // Longer than any block of threads, and more segments than any launch takes.
  for (const Named kind :
       {Named{Scores::kRandom, "random"}, Named{Scores::kManyTies, "many ties"}, Named{Scores::kAllNan, "all NaN"}}) {
    cases.add_once(describe(kind.name, "a long segment"), [=](Trial& trial) {
      run_segments(trial, kind.scores, {{4099, 2000}, {2049, 2048}});
    });
  }
  cases.add_once("1000 segments", [](Trial& trial) {
    std::vector<std::pair<int32_t, int32_t>> counts;
    for (int32_t i = 0; i < 1000; ++i) counts.emplace_back(i % 7, i % 7 / 2);
    run_segments(trial, Scores::kManyTies, counts);
  });
  cases.add("no segment", [](Trial& trial) { run_segments(trial, Scores::kRandom, {}); });
  cases.add_once("counts", run_counts);
}

}  // namespace gtr::test
