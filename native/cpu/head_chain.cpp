// Ragged reverse chains. A batch row is one half of a chain's row: at table index i the rows with more than i steps
// come first, then the unconditional halves of those that are guided. Since groups have their steps in descending
// order, the rows that are under way are always the first ones of either kind.
#include <algorithm>
#include <cstring>

#include "diffusion_table.h"
#include "head_network.h"
#include "head_update.h"
#include "noise.h"
#include "pool.h"

namespace gtr::cpu {
namespace {

constexpr int64_t kDefaultModulationBytes = int64_t{256} << 20;

// Modulations are computed ahead until their products have this many rows: more would save no time, only take memory
// that no cache holds.
constexpr int64_t kTallRows = 256;

constexpr int64_t kRowsPerTask = 8;

struct ChainRow {
  int64_t place;
  const gtr_diffusion_step* table;
  int32_t steps;
  int32_t half;  // number of its unconditional half, -1 if it is not guided
  uint64_t seed;
  uint32_t image;
  uint32_t cell;
  float cfg;
  float temperature;
};

// Rows under way at a table index.
struct Active {
  int64_t rows;
  int64_t halves;  // unconditional ones
  int64_t all() const noexcept { return rows + halves; }
};

Active active_at(const gtr_chain& chain, int32_t index) noexcept {
  Active active{0, 0};
  for (int64_t g = 0; g < chain.group_count && chain.groups[g].steps > index; ++g) {
    active.rows += chain.groups[g].rows;
    if (chain.groups[g].guided != 0) active.halves += chain.groups[g].rows;
  }
  return active;
}

// The lowest index, not below `last`, down to which modulations are computed together with those of `high`.
int32_t chunk_end(const Head& head, const gtr_chain& chain, int32_t high, int32_t last, int64_t* rows) noexcept {
  const int64_t bytes = chain.modulation_bytes > 0 ? chain.modulation_bytes : kDefaultModulationBytes;
  const int64_t most = std::min(bytes / HeadModulations::row_bytes(head), kTallRows);
  *rows = active_at(chain, high).all();
  int32_t low = high;
  while (low > last) {
    const int64_t more = active_at(chain, low - 1).all();
    if (*rows + more > most) break;
    *rows += more;
    --low;
  }
  return low;
}

// Calls use(group, first row) for the groups that are under way at an index.
template <typename Use>
void for_active_groups(const gtr_chain& chain, int32_t index, const Use& use) noexcept {
  int64_t first = 0;
  for (int64_t g = 0; g < chain.group_count && chain.groups[g].steps > index; ++g) {
    use(chain.groups[g], first);
    first += chain.groups[g].rows;
  }
}

template <typename T>
T element(const gtr_tensor& vector, int64_t i) noexcept {
  return static_cast<const T*>(vector.data)[i * vector.stride[0]];
}

class ChainRun {
 public:
  ChainRun(const Head& head, const gtr_chain& chain, void* scratch) noexcept
      : head_(head), chain_(chain), channels_(head.shape.channels), width_(head.shape.width), scratch_(scratch) {
    const Active all = active_at(chain, 0);
    const int32_t most_steps = chain.groups[0].steps;
    int64_t table_entries = 0;
    for (int64_t g = 0; g < chain.group_count; ++g) {
      if (g == 0 || chain.groups[g].steps != chain.groups[g - 1].steps) table_entries += chain.groups[g].steps;
    }
    int64_t modulation_rows = 0;
    for (int32_t high = most_steps - 1; high >= 0;) {
      int64_t rows;
      high = chunk_end(head, chain, high, 0, &rows) - 1;
      modulation_rows = std::max(modulation_rows, rows);
    }
    rows_ = scratch_.take<ChainRow>(all.rows);
    guided_rows_ = scratch_.take<int32_t>(all.halves);
    tables_ = scratch_.take<gtr_diffusion_step>(table_entries);
    times_ = HeadTimes::place(scratch_, head, std::min<int64_t>(table_entries, kBaseSteps));
    z_ = scratch_.take<float>(all.all() * head.shape.condition);
    conditions_ = scratch_.take<float>(all.all() * width_);
    modulations_ = HeadModulations::place(scratch_, head, modulation_rows);
    pass_ = HeadPass::place(scratch_, head, all.all());
    x_ = scratch_.take<float>(all.rows * channels_);
    noise_ = scratch_.take<float>(all.rows * channels_);
    predictions_ = scratch_.take<float>(all.all() * 2 * channels_);
    linear_scratch_ = scratch_.take_bytes(head_linear_scratch_size(
        head, std::max({modulation_rows, all.all(), std::min<int64_t>(table_entries, kBaseSteps)})));
  }

  int64_t scratch_size() const noexcept { return scratch_.size(); }

  // Table indices first down to last, from x. from_noise: every row starts with its first noise instead.
  gtr_status run(const Context& context, const char* operation, int32_t first, int32_t last, bool from_noise,
                 const gtr_tensor& x) noexcept {
    prepare_rows();
    load_x(context, active_at(chain_, last).rows, from_noise, x);
    gtr_status status = embed(context, first, last);
    for (int32_t high = first; status == GTR_OK && high >= last;) {
      int64_t modulation_rows;
      const int32_t low = chunk_end(head_, chain_, high, last, &modulation_rows);
      status = modulate(context, operation, high, low);
      int64_t at = 0;
      for (; status == GTR_OK && high >= low; --high) {
        status = step(context, operation, high, at);
        at += active_at(chain_, high).all();
      }
    }
    if (status == GTR_OK) store_x(active_at(chain_, last).rows, x);
    return status;
  }

 private:
  void prepare_rows() noexcept {
    gtr_diffusion_step* table = tables_;
    int32_t halves = 0;
    int64_t r = 0;
    for (int64_t g = 0; g < chain_.group_count; ++g) {
      const gtr_chain_group& group = chain_.groups[g];
      if (g == 0) {
        diffusion_table(group.steps, table);
      } else if (group.steps != chain_.groups[g - 1].steps) {
        table += chain_.groups[g - 1].steps;
        diffusion_table(group.steps, table);
      }
      for (const int64_t end = r + group.rows; r < end; ++r) {
        ChainRow& row = rows_[r];
        row.place = chain_.place == nullptr ? r : element<int32_t>(*chain_.place, r);
        row.table = table;
        row.steps = group.steps;
        row.half = -1;
        row.seed = element<uint64_t>(*chain_.seed, row.place);
        row.image = element<uint32_t>(*chain_.image, row.place);
        row.cell = element<uint32_t>(*chain_.cell, row.place);
        row.temperature = element<float>(*chain_.temperature, row.place);
        row.cfg = 1.0f;
        if (group.guided != 0) {
          row.cfg = element<float>(*chain_.cfg, row.place);
          row.half = halves;
          guided_rows_[halves++] = static_cast<int32_t>(r);
        }
      }
    }
  }

  float* x_of(const gtr_tensor& x, int64_t r) const noexcept {
    return static_cast<float*>(x.data) + rows_[r].place * x.stride[0];
  }

  void load_x(const Context& context, int64_t rows, bool from_noise, const gtr_tensor& x) noexcept {
    for_rows(context, rows, [&](int64_t r) {
      if (from_noise) {
        noise_row(rows_[r].seed, rows_[r].image, rows_[r].cell, 0, channels_, x_ + r * channels_);
      } else {
        std::copy_n(x_of(x, r), channels_, x_ + r * channels_);
      }
    });
  }

  void store_x(int64_t rows, const gtr_tensor& x) const noexcept {
    for (int64_t r = 0; r < rows; ++r) std::copy_n(x_ + r * channels_, channels_, x_of(x, r));
  }

  // What the whole run needs of times and conditions.
  gtr_status embed(const Context& context, int32_t first, int32_t last) noexcept {
    times_.clear();
    for (int32_t index = first; index >= last; --index) {
      for_active_groups(chain_, index,
                        [&](const gtr_chain_group&, int64_t r) { times_.add(rows_[r].table[index].base_step); });
    }
    const gtr_status status = times_.embed(context, head_, linear_scratch_);
    if (status != GTR_OK) return status;

    const Active active = active_at(chain_, last);
    const int64_t dim = head_.shape.condition;
    const auto copy_z = [&](const gtr_tensor& z, int64_t r, int64_t to) {
      std::copy_n(static_cast<const float*>(z.data) + rows_[r].place * z.stride[0], dim, z_ + to * dim);
    };
    for (int64_t r = 0; r < active.rows; ++r) copy_z(*chain_.z, r, r);
    for (int64_t h = 0; h < active.halves; ++h) copy_z(*chain_.z_unconditional, guided_rows_[h], active.rows + h);
    first_half_ = active.rows;
    return linear(context, head_.layer(HeadLayer::kConditionEmbed), GTR_ACTIVATION_NONE,
                  matrix_view(z_, GTR_F32, active.all(), dim, dim), nullptr, nullptr,
                  matrix_view(conditions_, GTR_F32, active.all(), width_, width_), linear_scratch_);
  }

  // Modulations of indices high down to low, one index after the other.
  gtr_status modulate(const Context& context, const char* operation, int32_t high, int32_t low) noexcept {
    int64_t at = 0;
    for (int32_t index = high; index >= low; --index) {
      const Active active = active_at(chain_, index);
      for (int64_t r = 0; r < active.rows; ++r, ++at) {
        modulations_.time_row[at] = time_row(r, index);
        modulations_.condition_row[at] = static_cast<int32_t>(r);
      }
      for (int64_t h = 0; h < active.halves; ++h, ++at) {
        modulations_.time_row[at] = time_row(guided_rows_[h], index);
        modulations_.condition_row[at] = static_cast<int32_t>(first_half_ + h);
      }
    }
    return modulations_.compute(context, head_, operation, at, times_.embedded, conditions_, linear_scratch_);
  }

  int32_t time_row(int64_t r, int32_t index) const noexcept {
    return times_.row_of_step[rows_[r].table[index].base_step];
  }

  // One reverse step; its modulations start at row `first_modulation`.
  gtr_status step(const Context& context, const char* operation, int32_t index, int64_t first_modulation) noexcept {
    const Active active = active_at(chain_, index);
    gtr_status status = linear(context, head_.layer(HeadLayer::kInputProjection), GTR_ACTIVATION_NONE,
                               matrix_view(x_, GTR_F32, active.rows, channels_, channels_), nullptr, nullptr,
                               matrix_view(pass_.stream, GTR_F32, active.rows, width_, width_), linear_scratch_);
    if (status != GTR_OK) return status;
    for (int64_t h = 0; h < active.halves; ++h) {  // both halves have the same x
      std::copy_n(pass_.stream + guided_rows_[h] * width_, width_, pass_.stream + (active.rows + h) * width_);
    }
    status = pass_.run(context, head_, operation, active.all(), modulations_, first_modulation,
                       matrix_view(predictions_, GTR_F32, active.all(), 2 * channels_, 2 * channels_), linear_scratch_);
    if (status != GTR_OK) return status;
    for_rows(context, active.rows, [&](int64_t r) {
      const ChainRow& row = rows_[r];
      const auto prediction = [&](int64_t batch_row) { return predictions_ + batch_row * 2 * channels_; };
      float* noise = nullptr;
      if (index > 0) {
        noise = noise_ + r * channels_;
        // Draw 0 was the row's start; its own first step, index steps - 1, takes draw 1.
        noise_row(row.seed, row.image, row.cell, static_cast<uint32_t>(row.steps - index), channels_, noise);
      }
      head_update_row(row.table[index],
                      {prediction(r), row.half < 0 ? nullptr : prediction(active.rows + row.half), row.cfg}, channels_,
                      static_cast<float>(chain_.x0_clip), noise, row.temperature, x_ + r * channels_);
    });
    return GTR_OK;
  }

  template <typename Body>
  static void for_rows(const Context& context, int64_t rows, const Body& body) noexcept {
    context.pool->parallel_for((rows + kRowsPerTask - 1) / kRowsPerTask, [&](int64_t task) {
      const int64_t end = std::min(rows, (task + 1) * kRowsPerTask);
      for (int64_t r = task * kRowsPerTask; r < end; ++r) body(r);
    });
  }

  const Head& head_;
  const gtr_chain& chain_;
  const int64_t channels_;
  const int64_t width_;
  HeadScratch scratch_;

  ChainRow* rows_;
  int32_t* guided_rows_;        // row of each unconditional half
  gtr_diffusion_step* tables_;  // of each number of steps, in the order of groups
  HeadTimes times_;
  float* z_;                // conditional, then unconditional rows
  float* conditions_;       // likewise, embedded
  int64_t first_half_ = 0;  // where the unconditional ones start
  HeadModulations modulations_;
  HeadPass pass_;
  float* x_;
  float* noise_;
  float* predictions_;
  void* linear_scratch_;
};

}  // namespace

int64_t head_chain_scratch_size(const Head& head, const gtr_chain& chain) noexcept {
  return chain.group_count == 0 ? 0 : ChainRun(head, chain, nullptr).scratch_size();
}

gtr_status head_chain(const Context& context, const Head& head, const gtr_chain& chain, const gtr_tensor& x,
                      void* scratch) noexcept {
  return ChainRun(head, chain, scratch).run(context, "gtr_head_chain", chain.groups[0].steps - 1, 0, true, x);
}

gtr_status head_step(const Context& context, const Head& head, const gtr_chain& chain, int32_t index,
                     const gtr_tensor& x, void* scratch) noexcept {
  return ChainRun(head, chain, scratch).run(context, "gtr_head_step", index, index, false, x);
}

}  // namespace gtr::cpu
