// The diffusion head: weights, forward, whole chains and single reverse steps.
#include "check.h"
#include "diffusion_table.h"
#include "errors.h"
#include "handles.h"
#include "head_tensors.h"
#include "out_of_memory.h"

using namespace gtr;

namespace {

constexpr int64_t kMaxSteps = 1000;

int64_t head_rows(const gtr_chain& chain) noexcept {
  int64_t rows = 0;
  for (int64_t i = 0; i < chain.group_count; ++i) rows += chain.groups[i].rows;
  return rows;
}

bool any_guided(const gtr_chain& chain) noexcept {
  for (int64_t i = 0; i < chain.group_count; ++i) {
    if (chain.groups[i].guided != 0) return true;
  }
  return false;
}

// What the size of the scratch depends on.
bool check_groups(Check& check, const gtr_chain* chain) noexcept {
  if (!check.not_null("chain", chain)) return false;
  check.range("chain.group_count", chain->group_count, 0, kMaxRows);
  if (check.ok() && chain->group_count > 0) check.not_null("chain.groups", chain->groups);
  int64_t rows = 0;
  for (int64_t i = 0; check.ok() && i < chain->group_count; ++i) {
    const gtr_chain_group& group = chain->groups[i];
    const auto refuse = [&](const char* field, int32_t value, const char* allowed) {
      check.fail(GTR_ERROR_INVALID_ARGUMENT, "chain.groups", "chain.groups[%lld].%s is %d; allowed are %s",
                 static_cast<long long>(i), field, value, allowed);
    };
    if (group.rows < 1) refuse("rows", group.rows, "1 and more");
    if (group.steps < 1 || group.steps > kMaxSteps) refuse("steps", group.steps, "1 to 1000");
    if (group.guided != 0 && group.guided != 1) refuse("guided", group.guided, "0 and 1");
    if (i > 0 && group.steps > chain->groups[i - 1].steps) {
      check.fail(GTR_ERROR_INVALID_ARGUMENT, "chain.groups",
                 "chain.groups[%lld].steps is %d after %d; allowed are steps that do not ascend",
                 static_cast<long long>(i), group.steps, chain->groups[i - 1].steps);
    }
    rows += group.rows;
    if (rows > kMaxRows) {
      check.fail(GTR_ERROR_INVALID_ARGUMENT, "chain.groups", "chain.groups have more than %lld rows together",
                 static_cast<long long>(kMaxRows));
    }
  }
  return check.range("chain.modulation_bytes", chain->modulation_bytes, 0, INT64_MAX);
}

bool check_chain(Check& check, const gtr_head& head, const gtr_chain* chain, const gtr_tensor* x) noexcept {
  if (!check_groups(check, chain)) return false;
  check.finite_not_negative("chain.x0_clip", chain->x0_clip);
  if (!check.not_null("x", x) ||
      !check.input("chain.z", chain->z, kF32, {any(), {head.shape.condition, "condition of the head"}})) {
    return false;
  }
  const Dim places{chain->z->shape[0], "rows of chain.z"};
  const int64_t rows = head_rows(*chain);
  check.size("chain.z", *chain->z, 0, 0, kMaxRows);
  check.optional_input("chain.place", chain->place, kI32, {{rows, "rows of chain.groups"}});
  if (check.ok() && rows > places.size) {
    check.fail(GTR_ERROR_INVALID_ARGUMENT, "chain.groups",
               "chain.groups have %lld rows together; allowed are 0 to %lld (rows of chain.z)",
               static_cast<long long>(rows), static_cast<long long>(places.size));
  }
  if (any_guided(*chain)) {
    check.input("chain.z_unconditional", chain->z_unconditional, kF32,
                {places, {head.shape.condition, "condition of the head"}});
    check.input("chain.cfg", chain->cfg, kF32, {places});
  } else {
    check.optional_input("chain.z_unconditional", chain->z_unconditional, kF32,
                         {places, {head.shape.condition, "condition of the head"}});
    check.optional_input("chain.cfg", chain->cfg, kF32, {places});
  }
  check.input("chain.seed", chain->seed, kU64, {places});
  check.input("chain.image", chain->image, kU32, {places});
  check.input("chain.cell", chain->cell, kU32, {places});
  check.input("chain.temperature", chain->temperature, kF32, {places});
  return check.output("x", x, kF32, {places, {head.shape.channels, "channels of the head"}});
}

bool check_complete(Check& check, const gtr_head& head) noexcept {
  if (!check.ok()) return false;
  const char* missing = head.device->backend->head_missing(head.implementation);
  return missing == nullptr ||
         check.fail(GTR_ERROR_INVALID_ARGUMENT, "head",
                    "head has no complete tensor %s; allowed is a head whose every tensor was set", missing);
}

}  // namespace

gtr_status gtr_diffusion_table(int32_t steps, gtr_diffusion_step* table) {
  Check check("gtr_diffusion_table");
  check.range("steps", steps, 1, kMaxSteps);
  check.not_null("table", table);
  if (!check.ok()) return check.status();
  diffusion_table(steps, table);
  return GTR_OK;
}

gtr_status gtr_head_create(gtr_device* device, const gtr_head_shape* shape, int32_t precision, gtr_head** head) {
  Check check("gtr_head_create");
  if (check.not_null("head", head)) *head = nullptr;
  check.not_null("device", device);
  if (!check.not_null("shape", shape)) return check.status();
  check.range("shape.channels", shape->channels, 1, 4096);
  check.range("shape.condition", shape->condition, 1, 65536);
  check.range("shape.width", shape->width, 1, 65536);
  check.range("shape.blocks", shape->blocks, 0, 1024);
  check.precision(precision);
  if (!check.ok()) return check.status();

  const auto arithmetic = static_cast<gtr_precision>(precision);
  auto* created = create_handle<gtr_head>(device->memory, device, *shape, arithmetic);
  gtr_status status = GTR_ERROR_OUT_OF_MEMORY;
  if (created != nullptr) {
    status = device->backend->head_create(device->implementation, *shape, arithmetic, &created->implementation);
  }
  if (status != GTR_OK) {
    if (created != nullptr) destroy_handle(device->memory, created);
    if (status != GTR_ERROR_OUT_OF_MEMORY) return status;
    return fail_out_of_memory(*device, check.operation(), "", "a head %d wide with %d blocks", shape->width,
                              shape->blocks);
  }
  device->heads.fetch_add(1, std::memory_order_relaxed);
  *head = created;
  return GTR_OK;
}

gtr_status gtr_head_set(gtr_head* head, const char* name, int64_t first_row, const gtr_tensor* value) {
  Check check("gtr_head_set");
  const WeightsChange<gtr_head> change(check, "head", head);
  if (!check.not_null("name", name)) return check.status();
  int32_t rank = 0;
  int64_t shape[2] = {0, 0};
  if (!head_tensor_shape(head->shape, name, &rank, shape)) {
    check.fail(GTR_ERROR_INVALID_ARGUMENT, "name",
               "name is \"%.100s\"; allowed are the tensors of a head of %d blocks, such as input_proj.weight", name,
               head->shape.blocks);
    return check.status();
  }
  constexpr uint32_t kWeightTypes = kF32 | kF16 | kBF16;
  if (rank == 1) {
    check.input("value", value, kWeightTypes, {any()});
  } else {
    check.input("value", value, kWeightTypes, {any(), {shape[1], "columns of this tensor"}});
  }
  if (!check.range("first_row", first_row, 0, shape[0], "rows of this tensor")) return check.status();
  check.size("value", *value, 0, 0, shape[0] - first_row, "rows of this tensor after first_row");
  if (!check.ok()) return check.status();
  if (value->shape[0] == 0) return GTR_OK;
  return head->device->backend->head_set(head->device->implementation, head->implementation, name, first_row, *value);
}

gtr_status gtr_head_destroy(gtr_head* head) {
  if (head == nullptr) return GTR_OK;
  Check check("gtr_head_destroy");
  WeightsChange<gtr_head> change(check, "head", head);
  if (!check.ok()) return check.status();
  gtr_device* device = head->device;
  device->backend->head_destroy(device->implementation, head->implementation);
  change.forget();
  destroy_handle(device->memory, head);
  device->heads.fetch_sub(1, std::memory_order_relaxed);
  return GTR_OK;
}

gtr_status gtr_head_forward_scratch_size(const gtr_head* head, int64_t rows, int64_t* bytes) {
  Check check("gtr_head_forward_scratch_size");
  const WeightsUse<gtr_head> use(check, "head", head, nullptr);
  check.range("rows", rows, 0, kMaxRows);
  check.not_null("bytes", bytes);
  if (!check.ok()) return check.status();
  *bytes = head->device->backend->head_forward_scratch_size(head->implementation, rows);
  return GTR_OK;
}

gtr_status gtr_head_forward(gtr_stream* stream, const gtr_head* head, const gtr_tensor* x, const gtr_tensor* t,
                            const gtr_tensor* z, const gtr_tensor* out, void* scratch, int64_t scratch_size) {
  Check check("gtr_head_forward");
  const StreamUse stream_use(check, stream);
  const WeightsUse<gtr_head> head_use(check, "head", head, stream);
  if (!check.ok()) return check.status();
  const gtr_head_shape& shape = head->shape;
  if (!check.input("x", x, kF32, {any(), {shape.channels, "channels of the head"}})) return check.status();
  const Dim rows{x->shape[0], "rows of x"};
  check.size("x", *x, 0, 0, kMaxRows);
  check.input("t", t, kI32, {rows});
  check.input("z", z, kF32, {rows, {shape.condition, "condition of the head"}});
  check.output("out", out, kF32, {rows, {2 * int64_t{shape.channels}, "twice the channels of the head"}});
  if (!check_complete(check, *head)) return check.status();
  const Backend& backend = *stream->device->backend;
  if (!check.scratch(scratch, scratch_size, backend.head_forward_scratch_size(head->implementation, rows.size))) {
    return check.status();
  }
  return run_on(stream, check, *out, [&] {
    return backend.head_forward(stream->implementation, head->implementation, *x, *t, *z, *out, scratch);
  });
}

gtr_status gtr_head_chain_scratch_size(const gtr_head* head, const gtr_chain* chain, int64_t* bytes) {
  Check check("gtr_head_chain_scratch_size");
  const WeightsUse<gtr_head> use(check, "head", head, nullptr);
  check.not_null("bytes", bytes);
  if (!check.ok() || !check_groups(check, chain)) return check.status();
  *bytes = head->device->backend->head_chain_scratch_size(head->implementation, *chain);
  return GTR_OK;
}

gtr_status gtr_head_chain(gtr_stream* stream, const gtr_head* head, const gtr_chain* chain, const gtr_tensor* x,
                          void* scratch, int64_t scratch_size) {
  Check check("gtr_head_chain");
  const StreamUse stream_use(check, stream);
  const WeightsUse<gtr_head> head_use(check, "head", head, stream);
  if (!check.ok() || !check_chain(check, *head, chain, x) || !check_complete(check, *head)) return check.status();
  const Backend& backend = *stream->device->backend;
  if (!check.scratch(scratch, scratch_size, backend.head_chain_scratch_size(head->implementation, *chain))) {
    return check.status();
  }
  return run_on(stream, check, *x, [&] {
    if (chain->group_count == 0) return GTR_OK;
    return backend.head_chain(stream->implementation, head->implementation, *chain, *x, scratch);
  });
}

gtr_status gtr_head_chain_prepare(gtr_stream* stream, const gtr_head* head, const gtr_chain* chain, void* scratch,
                                  int64_t scratch_size) {
  Check check("gtr_head_chain_prepare");
  const StreamUse stream_use(check, stream);
  const WeightsUse<gtr_head> head_use(check, "head", head, stream);
  if (!check.ok() || !check_groups(check, chain) || !check_complete(check, *head)) return check.status();
  const Backend& backend = *stream->device->backend;
  if (!check.scratch(scratch, scratch_size, backend.head_chain_scratch_size(head->implementation, *chain))) {
    return check.status();
  }
  if (stream->cancelled.load(std::memory_order_relaxed)) return cancelled(check);
  if (backend.head_chain_prepare == nullptr || chain->group_count == 0) return GTR_OK;
  return reported(check, backend.head_chain_prepare(stream->implementation, head->implementation, *chain, scratch));
}

gtr_status gtr_head_step(gtr_stream* stream, const gtr_head* head, const gtr_chain* chain, int32_t index,
                         const gtr_tensor* x, void* scratch, int64_t scratch_size) {
  Check check("gtr_head_step");
  const StreamUse stream_use(check, stream);
  const WeightsUse<gtr_head> head_use(check, "head", head, stream);
  if (!check.ok() || !check_chain(check, *head, chain, x)) return check.status();
  const int64_t most_steps = chain->group_count == 0 ? kMaxSteps : chain->groups[0].steps;
  check.range("index", index, 0, most_steps - 1, "the most steps of a group, less 1");
  if (!check_complete(check, *head)) return check.status();
  const Backend& backend = *stream->device->backend;
  if (!check.scratch(scratch, scratch_size, backend.head_chain_scratch_size(head->implementation, *chain))) {
    return check.status();
  }
  return run_on(stream, check, *x, [&] {
    if (chain->group_count == 0) return GTR_OK;
    return backend.head_step(stream->implementation, head->implementation, *chain, index, *x, scratch);
  });
}
