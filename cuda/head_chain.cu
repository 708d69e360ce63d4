// Ragged reverse chains, as launches.
#include <algorithm>

#include "diffusion_table.h"
#include "head_graph.h"
#include "head_plan.h"
#include "head_upload.h"

namespace gtr::cuda {
namespace {

constexpr int64_t kDefaultModulationBytes = int64_t{256} << 20;
constexpr int64_t kMostModulationRows = int64_t{1} << 30;  // numbered by 32 bits

// Calls use(steps, first entry of their table) for each number of steps that the groups have.
template <typename Use>
void for_tables(const gtr_chain_group* groups, int64_t count, const Use& use) noexcept {
  int64_t first_entry = 0;
  for (int64_t g = 0; g < count; ++g) {
    if (g > 0 && groups[g].steps == groups[g - 1].steps) continue;
    use(groups[g].steps, first_entry);
    first_entry += groups[g].steps;
  }
}

int64_t table_entries(const gtr_chain_group* groups, int64_t count) noexcept {
  int64_t entries = 0;
  for_tables(groups, count, [&](int32_t steps, int64_t) { entries += steps; });
  return entries;
}

StepCoefficients coefficients_of(const gtr_diffusion_step& step, int32_t time_row) noexcept {
  return {static_cast<float>(step.min_log_variance),
          static_cast<float>(step.max_log_variance),
          static_cast<float>(step.x0_coefficient),
          static_cast<float>(step.x_coefficient),
          static_cast<float>(step.reciprocal_root),
          static_cast<float>(step.reciprocal_root_minus_1),
          time_row,
          0};
}

// The base steps in use, in the order in which they were first met.
class TimesInUse {
 public:
  TimesInUse() noexcept { std::fill_n(row_of_step_, kBaseSteps, int16_t{-1}); }

  int32_t row_of(int32_t base_step) noexcept {
    int16_t& row = row_of_step_[base_step];
    if (row < 0) {
      row = static_cast<int16_t>(count_);
      steps_[count_++] = base_step;
    }
    return row;
  }
  int32_t count() const noexcept { return count_; }
  int32_t step(int32_t row) const noexcept { return steps_[row]; }

 private:
  int16_t row_of_step_[kBaseSteps];
  int32_t steps_[kBaseSteps];
  int32_t count_ = 0;
};

template <typename T>
PlaceArray<T> place_array(const gtr_tensor* tensor) noexcept {
  if (tensor == nullptr) return {nullptr, 0};
  return {static_cast<T*>(tensor->data), tensor->stride[0]};
}

int64_t place_slots_for(int64_t rows) noexcept {
  int64_t slots = 64;
  while (slots < 2 * rows) slots *= 2;
  return slots;
}

}  // namespace

ChainPlan::ChainPlan(const Head& head, const gtr_chain& chain, void* scratch) noexcept
    : head_(head), groups_(chain.groups), group_count_(chain.group_count), scratch_(scratch) {
  const int64_t bytes = chain.modulation_bytes > 0 ? chain.modulation_bytes : kDefaultModulationBytes;
  modulation_rows_most_ = std::min(bytes / HeadModulations::row_bytes(head), kMostModulationRows);
  const Batch all = batch_at(0);
  const int32_t most_steps = groups_[0].steps;
  const int64_t entries = table_entries(groups_, group_count_);
  const int64_t times = std::min<int64_t>(entries, kBaseSteps);
  int64_t modulation_rows = 0;
  for (int32_t high = most_steps - 1; high >= 0;) {
    int64_t rows = 0;
    high = chunk_end(high, 0, &rows) - 1;
    modulation_rows = std::max(modulation_rows, rows);
  }
  const int64_t channels = head.shape.channels;
  const int64_t width = head.shape.width;
  rows_.parameters = scratch_.take<ChainParameters>(1);
  rows_.rows = scratch_.take<ChainRow>(all.rows);
  rows_.guided_rows = scratch_.take<int32_t>(all.halves);
  rows_.place_slots = place_slots_for(all.rows);
  rows_.places_taken = scratch_.take<int32_t>(rows_.place_slots);
  rows_.coefficients = scratch_.take<StepCoefficients>(entries);
  rows_.batches = scratch_.take<Batch>(most_steps);
  rows_.x = scratch_.take<float>(all.rows * channels);
  rows_.channels = head.shape.channels;
  times_in_use_ = scratch_.take<int32_t>(times);
  times_ = HeadTimes::place(scratch_, head, times);
  z_ = scratch_.take<float>(all.all() * head.shape.condition);
  conditions_ = scratch_.take<float>(all.all() * width);
  modulations_ = HeadModulations::place(scratch_, head, modulation_rows);
  time_row_ = scratch_.take<int32_t>(modulation_rows);
  condition_row_ = scratch_.take<int32_t>(modulation_rows);
  pass_ = HeadPass::place(scratch_, head, all.all());
  for (float*& stream : streams_) stream = scratch_.take<float>(all.all() * width);
  normed_ = scratch_.take<float>(all.all() * turn_normed_width(head));
  predictions_ = scratch_.take<float>(all.all() * turn_predictions_width(head));
  linear_scratch_ = scratch_.take_bytes(head_linear_scratch_size(head, std::max({modulation_rows, all.all(), times})));
}

// Rows under way at a table index.
Batch ChainPlan::batch_at(int32_t index) const noexcept {
  Batch batch = {};
  for (int64_t g = 0; g < group_count_ && groups_[g].steps > index; ++g) {
    batch.rows += groups_[g].rows;
    if (groups_[g].guided != 0) batch.halves += groups_[g].rows;
  }
  return batch;
}

// The lowest index, not below `last`, down to which modulations are computed together with those of `high`.
int32_t ChainPlan::chunk_end(int32_t high, int32_t last, int64_t* rows) const noexcept {
  *rows = batch_at(high).all();
  int32_t low = high;
  while (low > last) {
    const int64_t more = batch_at(low - 1).all();
    if (*rows + more > modulation_rows_most_) break;
    *rows += more;
    --low;
  }
  return low;
}

void ChainPlan::set_parameters(Context& context, const gtr_chain& chain, const gtr_tensor& x) const noexcept {
  ChainParameters parameters = {};
  parameters.place = place_array<const int32_t>(chain.place);
  parameters.z = place_array<const float>(chain.z);
  parameters.z_unconditional = place_array<const float>(chain.z_unconditional);
  parameters.seed = place_array<const uint64_t>(chain.seed);
  parameters.image = place_array<const uint32_t>(chain.image);
  parameters.cell = place_array<const uint32_t>(chain.cell);
  parameters.cfg = place_array<const float>(chain.cfg);
  parameters.temperature = place_array<const float>(chain.temperature);
  parameters.x = place_array<float>(&x);
  parameters.places = x.shape[0];
  parameters.x0_clip = static_cast<float>(chain.x0_clip);
  write_parameters(context.queue, rows_.parameters, parameters);
}

// Coefficients, base steps and batches of the indices; returns the number of base steps.
int64_t ChainPlan::upload(Context& context, int32_t first, int32_t last) const noexcept {
  Upload upload(context.queue);
  TimesInUse times;
  for_tables(groups_, group_count_, [&](int32_t steps, int64_t first_entry) {
    gtr_diffusion_step table[kBaseSteps];
    if (steps <= last) return;
    diffusion_table(steps, table);
    for (int32_t index = last; index <= std::min(first, steps - 1); ++index) {
      upload.put(rows_.coefficients + first_entry + index,
                 coefficients_of(table[index], times.row_of(table[index].base_step)));
    }
  });
  for (int32_t row = 0; row < times.count(); ++row) upload.put(times_in_use_ + row, times.step(row));
  int64_t at = 0;
  int32_t low = first + 1;
  for (int32_t index = first; index >= last; --index) {
    if (index < low) {
      int64_t rows = 0;
      low = chunk_end(index, last, &rows);
      at = 0;
    }
    Batch batch = batch_at(index);
    batch.first_modulation = static_cast<int32_t>(at);
    upload.put(rows_.batches + index, batch);
    at += batch.all();
  }
  return times.count();
}

void ChainPlan::enqueue_rows(Context& context) const noexcept {
  clear_places(context.queue, rows_);
  PlannedGroups planned;
  planned.count = 0;
  int32_t row = 0;
  int32_t half = 0;
  int64_t g = 0;
  for_tables(groups_, group_count_, [&](int32_t steps, int64_t first_entry) {
    for (; g < group_count_ && groups_[g].steps == steps; ++g) {
      const gtr_chain_group& group = groups_[g];
      const bool guided = group.guided != 0;
      planned.groups[planned.count++] = {row, group.rows, steps, static_cast<int32_t>(first_entry), guided ? half : -1};
      row += group.rows;
      if (guided) half += group.rows;
      if (planned.count == PlannedGroups::kMost) {
        fill_rows(context.queue, rows_, planned);
        planned.count = 0;
      }
    }
  });
  if (planned.count > 0) fill_rows(context.queue, rows_, planned);
}

void ChainPlan::enqueue(Context& context, int32_t first, int32_t last, bool from_noise) noexcept {
  rows_.cancelled = context.cancelled;
  rows_.errors = context.errors;
  const int64_t width = head_.shape.width;
  const int64_t dim = head_.shape.condition;
  const Batch all = batch_at(last);
  const int64_t times = upload(context, first, last);
  enqueue_rows(context);
  load_x(context.queue, rows_, all.rows, from_noise);
  times_.embed(context, head_, times_in_use_, 1, 0, times, linear_scratch_);
  gather_z(context.queue, rows_, all.rows, all.halves, dim, z_);
  linear(context, head_.layer(HeadLayer::kConditionEmbed), GTR_ACTIVATION_NONE,
         matrix_view(z_, GTR_F32, all.all(), dim, dim), nullptr, nullptr,
         matrix_view(conditions_, GTR_F32, all.all(), width, width), linear_scratch_);
  HeadTurn begin = {};
  begin.index = first + 1;
  begin.next = batch_at(first);
  begin.next_stream = streams_[first % 2];
  turn(context, head_, rows_, begin);
  for (int32_t high = first; high >= last;) {
    int64_t modulation_rows = 0;
    const int32_t low = chunk_end(high, last, &modulation_rows);
    fill_modulation_rows(context.queue, rows_, high, low, modulation_rows, all.rows, time_row_, condition_row_);
    modulations_.compute(context, head_, modulation_rows, times_.embedded, time_row_, conditions_, condition_row_,
                         linear_scratch_);
    int64_t first_modulation = 0;
    for (; high >= low; --high) {
      if (context.cancel_requested->load(std::memory_order_relaxed)) return;
      const Batch batch = batch_at(high);
      float* const stream = streams_[high % 2];
      pass_.run(context, head_, batch.all(), stream, modulations_, first_modulation, linear_scratch_);
      turn(context, head_, rows_,
           {high, batch, high > last ? batch_at(high - 1) : Batch{}, modulations_.last + first_modulation * 2 * width,
            stream, streams_[(high + 1) % 2], normed_, predictions_});
      first_modulation += batch.all();
    }
  }
  store_x(context.queue, rows_, all.rows);
}

int64_t ChainPlan::launches() const noexcept {
  constexpr int64_t kPerBlock = 3;  // norm and two products
  constexpr int64_t kPerStep = 1;   // the turn to the next
  return groups_[0].steps * (kPerStep + kPerBlock * head_.shape.blocks);
}

int64_t head_chain_scratch_size(const Head& head, const gtr_chain& chain) noexcept {
  return chain.group_count == 0 ? 0 : ChainPlan(head, chain, nullptr).scratch_size();
}

void head_chain(Context& context, const Head& head, const gtr_chain& chain, const gtr_tensor& x,
                void* scratch) noexcept {
  ChainPlan plan(head, chain, scratch);
  plan.set_parameters(context, chain, x);
  enqueue_chain(context, head, chain, plan, scratch);
}

void head_chain_prepare(Context& context, const Head& head, const gtr_chain& chain, void* scratch) noexcept {
  ChainPlan plan(head, chain, scratch);
  prepare_chain(context, head, chain, plan, scratch);
}

// A step is some dozens of launches, and each has another batch: no graph.
void head_step(Context& context, const Head& head, const gtr_chain& chain, int32_t index, const gtr_tensor& x,
               void* scratch) noexcept {
  ChainPlan plan(head, chain, scratch);
  plan.set_parameters(context, chain, x);
  plan.enqueue(context, index, index, false);
}

}  // namespace gtr::cuda
