// gtr_head*, gtr_diffusion_table: every refusal.
#include <cmath>

#include "small_head.h"

namespace gtr::test {
namespace {

constexpr gtr_status kInvalid = GTR_ERROR_INVALID_ARGUMENT;
constexpr gtr_head_shape kShape = {4, 6, 8, 2};

void tables() {
  constexpr const char* kOperation = "gtr_diffusion_table";
  gtr_diffusion_step table[1];
  for (const int32_t steps : {0, -1, 1001, INT32_MAX}) {
    EXPECT_REFUSED(gtr_diffusion_table(steps, table), kInvalid, kOperation, "steps", "; allowed are 1 to 1000");
  }
  EXPECT_REFUSED(gtr_diffusion_table(1, nullptr), kInvalid, kOperation, "table", "table is null");
  EXPECT_OK(gtr_diffusion_table(1, table));
}

void creation(const Fixture& f) {
  constexpr const char* kOperation = "gtr_head_create";
  char unset;
  gtr_head* head = nullptr;
  const auto refused = [&](gtr_head_shape shape, int32_t precision, const char* argument, const char* text) {
    head = reinterpret_cast<gtr_head*>(&unset);
    EXPECT_REFUSED(gtr_head_create(f.device, &shape, precision, &head), kInvalid, kOperation, argument, text);
    EXPECT(head == nullptr);
  };
  refused({0, 6, 8, 2}, 0, "shape.channels", "shape.channels is 0; allowed are 1 to 4096");
  refused({4097, 6, 8, 2}, 0, "shape.channels", "shape.channels is 4097");
  refused({4, 0, 8, 2}, 0, "shape.condition", "shape.condition is 0");
  refused({4, 65537, 8, 2}, 0, "shape.condition", "shape.condition is 65537");
  refused({4, 6, 0, 2}, 0, "shape.width", "shape.width is 0");
  refused({4, 6, 65537, 2}, 0, "shape.width", "shape.width is 65537");
  refused({4, 6, 8, -1}, 0, "shape.blocks", "shape.blocks is -1; allowed are 0 to 1024");
  refused({4, 6, 8, 1025}, 0, "shape.blocks", "shape.blocks is 1025");
  refused(kShape, 2, "precision", "precision is 2");
  EXPECT_REFUSED(gtr_head_create(nullptr, &kShape, 0, &head), kInvalid, kOperation, "device", "device is null");
  EXPECT_REFUSED(gtr_head_create(f.device, nullptr, 0, &head), kInvalid, kOperation, "shape", "shape is null");
  EXPECT_REFUSED(gtr_head_create(f.device, &kShape, 0, nullptr), kInvalid, kOperation, "head", "head is null");
  EXPECT_OK(gtr_head_destroy(nullptr));
}

void setting(gtr_head* head) {
  constexpr const char* kOperation = "gtr_head_set";
  const Array<float> weight({2, 8}), bias({2});
  EXPECT_REFUSED(gtr_head_set(nullptr, "input_proj.bias", 0, &bias), kInvalid, kOperation, "head", "head is null");
  EXPECT_REFUSED(gtr_head_set(head, nullptr, 0, &bias), kInvalid, kOperation, "name", "name is null");
  for (const char* name : {"", "input_proj", "input_proj.weight2", "res_blocks.2.in_ln.weight",
                           "res_blocks.-1.in_ln.bias", "res_blocks.00.in_ln.bias", "res_blocks.0.in_ln.gate",
                           "diffloss.net.input_proj.bias", "final_layer.norm_final.weight", "line\nbreak"}) {
    EXPECT_REFUSED(gtr_head_set(head, name, 0, &bias), kInvalid, kOperation, "name",
                   "; allowed are the tensors of a head of 2 blocks");
  }
  const auto with_weight = [&](const gtr_tensor* t) { return gtr_head_set(head, "res_blocks.1.mlp.0.weight", 0, t); };
  const auto with_bias = [&](const gtr_tensor* t) { return gtr_head_set(head, "res_blocks.1.in_ln.bias", 0, t); };
  refuse_null(kOperation, "value", with_weight);
  refuse_bad_tensor(kOperation, "value", weight.tensor, {1}, with_weight);
  refuse_null(kOperation, "value", with_bias);
  refuse_bad_tensor(kOperation, "value", bias.tensor, {}, with_bias);
  EXPECT_REFUSED(gtr_head_set(head, "input_proj.bias", -1, &bias), kInvalid, kOperation, "first_row",
                 "first_row is -1; allowed are 0 to 8 (rows of this tensor)");
  EXPECT_REFUSED(gtr_head_set(head, "input_proj.bias", INT64_MAX, &bias), kInvalid, kOperation, "first_row", "");
  EXPECT_REFUSED(gtr_head_set(head, "input_proj.bias", 7, &bias), kInvalid, kOperation, "value",
                 "value.shape[0] is 2; allowed are 0 to 1 (rows of this tensor after first_row)");
}

// A head is usable once every row of every tensor was set, in any order and pieces.
void completeness(const Fixture& f, gtr_head* head) {
  const Array<float> x({3, 4}), z({3, 6}), out({3, 8});
  const Array<int32_t> t({3});
  int64_t bytes = 0;
  EXPECT_OK(gtr_head_forward_scratch_size(head, 3, &bytes));
  const Scratch scratch(bytes);
  const auto forward = [&] { return gtr_head_forward(f.stream, head, &x, &t, &z, &out, scratch.data, bytes); };
  SmallChain c(kShape);
  int64_t chain_bytes = 0;
  EXPECT_OK(gtr_head_chain_scratch_size(head, &c.chain, &chain_bytes));
  const Scratch chain_scratch(chain_bytes);
  const std::vector<HeadTensorName> tensors = head_tensors(kShape);
  for (const HeadTensorName& tensor : tensors) {
    EXPECT_REFUSED(forward(), kInvalid, "gtr_head_forward", "head", "head has no complete tensor ");
    EXPECT_REFUSED(gtr_head_chain(f.stream, head, &c.chain, &c.x, chain_scratch.data, chain_bytes), kInvalid,
                   "gtr_head_chain", "head", "head has no complete tensor ");
    EXPECT_REFUSED(gtr_head_chain_prepare(f.stream, head, &c.chain, chain_scratch.data, chain_bytes), kInvalid,
                   "gtr_head_chain_prepare", "head", "head has no complete tensor ");
    EXPECT_REFUSED(gtr_head_step(f.stream, head, &c.chain, 0, &c.x, chain_scratch.data, chain_bytes), kInvalid,
                   "gtr_head_step", "head", "head has no complete tensor ");
    Array<float> value({tensor.shape[0], tensor.shape.size() > 1 ? tensor.shape[1] : 1});
    if (tensor.shape.size() == 1) {
      value.tensor.rank = 1;
      value.tensor.stride[0] = 1;
    }
    // The upper rows first; then one row is missing, and named.
    gtr_tensor upper = value.tensor;
    upper.shape[0] -= 1;
    EXPECT_OK(gtr_head_set(head, tensor.name.c_str(), 1, &upper));
    if (&tensor == &tensors.back()) {
      EXPECT_REFUSED(forward(), kInvalid, "gtr_head_forward", "head", tensor.name.c_str());
    }
    gtr_tensor first = value.tensor;
    first.shape[0] = 1;
    EXPECT_OK(gtr_head_set(head, tensor.name.c_str(), 0, &first));
  }
  EXPECT_OK(forward());
  EXPECT_OK(set_head(head, kShape));
}

void forward(const Fixture& f, gtr_head* head) {
  constexpr const char* kOperation = "gtr_head_forward";
  const Array<float> x({3, 4}), z({3, 6}), out({3, 8}, 7.0f);
  Array<int32_t> t({3});
  int64_t bytes = -1;
  constexpr const char* kSize = "gtr_head_forward_scratch_size";
  EXPECT_REFUSED(gtr_head_forward_scratch_size(nullptr, 3, &bytes), kInvalid, kSize, "head", "head is null");
  EXPECT_REFUSED(gtr_head_forward_scratch_size(head, -1, &bytes), kInvalid, kSize, "rows", "rows is -1");
  EXPECT_REFUSED(gtr_head_forward_scratch_size(head, 3, nullptr), kInvalid, kSize, "bytes", "bytes is null");
  EXPECT_OK(gtr_head_forward_scratch_size(head, 3, &bytes));
  const Scratch scratch(bytes);
  const auto call = [&](const gtr_tensor* x_, const gtr_tensor* t_, const gtr_tensor* z_, const gtr_tensor* out_) {
    return gtr_head_forward(f.stream, head, x_, t_, z_, out_, scratch.data, bytes);
  };
  refuse_null_stream(kOperation, [&](gtr_stream* stream) {
    return gtr_head_forward(stream, head, &x, &t, &z, &out, scratch.data, bytes);
  });
  EXPECT_REFUSED(gtr_head_forward(f.stream, nullptr, &x, &t, &z, &out, scratch.data, bytes), kInvalid, kOperation,
                 "head", "head is null");
  {
    const Fixture other;
    EXPECT_REFUSED(gtr_head_forward(other.stream, head, &x, &t, &z, &out, scratch.data, bytes), kInvalid, kOperation,
                   "head", "belongs to another device");
  }
  refuse_null(kOperation, "x", [&](const gtr_tensor* a) { return call(a, &t, &z, &out); });
  refuse_bad_tensor(kOperation, "x", x.tensor, {1}, [&](const gtr_tensor* a) { return call(a, &t, &z, &out); });
  refuse_null(kOperation, "t", [&](const gtr_tensor* a) { return call(&x, a, &z, &out); });
  refuse_bad_tensor(kOperation, "t", t.tensor, {0}, [&](const gtr_tensor* a) { return call(&x, a, &z, &out); });
  refuse_null(kOperation, "z", [&](const gtr_tensor* a) { return call(&x, &t, a, &out); });
  refuse_bad_tensor(kOperation, "z", z.tensor, {0, 1}, [&](const gtr_tensor* a) { return call(&x, &t, a, &out); });
  refuse_bad_output(kOperation, "out", out.tensor, {0, 1}, {&x, &z},
                    [&](const gtr_tensor* a) { return call(&x, &t, &z, a); });
  for (const int32_t value : {-1, 1000}) {
    t.values[2] = value;
    EXPECT_REFUSED(call(&x, &t, &z, &out), kInvalid, kOperation, "t", "; allowed are 0 to 999");
  }
  t.values[2] = 999;
  bool unchanged = true;
  for (const float value : out.values) unchanged = unchanged && value == 7.0f;
  EXPECT(unchanged);
  refuse_bad_scratch(kOperation, scratch, bytes, [&](void* data, int64_t size) {
    return gtr_head_forward(f.stream, head, &x, &t, &z, &out, data, size);
  });
  const Array<float> no_x({0, 4}), no_z({0, 6}), no_out({0, 8});
  const Array<int32_t> no_t({0});
  EXPECT_OK(gtr_head_forward(f.stream, head, &no_x, &no_t, &no_z, &no_out, scratch.data, bytes));
}

// Both calls that run a chain.
void chains(const Fixture& f, gtr_head* head, const char* operation) {
  const bool whole = std::strcmp(operation, "gtr_head_chain") == 0;
  SmallChain c(kShape);
  int64_t bytes = -1;
  EXPECT_OK(gtr_head_chain_scratch_size(head, &c.chain, &bytes));
  EXPECT(bytes > 0);
  const Scratch scratch(bytes);
  const auto run = [&](gtr_stream* stream, const gtr_head* head_, const gtr_chain* chain, const gtr_tensor* x,
                       void* data, int64_t size) {
    return whole ? gtr_head_chain(stream, head_, chain, x, data, size)
                 : gtr_head_step(stream, head_, chain, 1, x, data, size);
  };
  const auto with = [&](const gtr_chain& chain) { return run(f.stream, head, &chain, &c.x, scratch.data, bytes); };
  refuse_null_stream(operation,
                     [&](gtr_stream* stream) { return run(stream, head, &c.chain, &c.x, scratch.data, bytes); });
  EXPECT_REFUSED(run(f.stream, nullptr, &c.chain, &c.x, scratch.data, bytes), kInvalid, operation, "head", "is null");
  EXPECT_REFUSED(run(f.stream, head, nullptr, &c.x, scratch.data, bytes), kInvalid, operation, "chain", "is null");

  // Tensors of the struct.
  const auto field = [&](const gtr_tensor* gtr_chain::*member) {
    return [&, member](const gtr_tensor* t) {
      gtr_chain chain = c.chain;
      chain.*member = t;
      return with(chain);
    };
  };
  const struct {
    const char* argument;
    const gtr_tensor* gtr_chain::*member;
    const gtr_tensor* good;
    bool places;  // one row per place
  } fields[] = {{"chain.place", &gtr_chain::place, &c.place, false},
                {"chain.z_unconditional", &gtr_chain::z_unconditional, &c.z_unconditional, true},
                {"chain.seed", &gtr_chain::seed, &c.seed, true},
                {"chain.image", &gtr_chain::image, &c.image, true},
                {"chain.cell", &gtr_chain::cell, &c.cell, true},
                {"chain.cfg", &gtr_chain::cfg, &c.cfg, true},
                {"chain.temperature", &gtr_chain::temperature, &c.temperature, true}};
  refuse_null(operation, "chain.z", field(&gtr_chain::z));
  refuse_bad_tensor(operation, "chain.z", c.z.tensor, {1}, field(&gtr_chain::z));
  for (const auto& entry : fields) {
    if (entry.places) refuse_null(operation, entry.argument, field(entry.member));
    refuse_bad_tensor(operation, entry.argument, *entry.good, {0}, field(entry.member));
  }
  refuse_bad_output(operation, "x", c.x.tensor, {0, 1}, {&c.z, &c.z_unconditional},
                    [&](const gtr_tensor* t) { return run(f.stream, head, &c.chain, t, scratch.data, bytes); });

  // Groups.
  const auto groups_refused = [&](std::vector<gtr_chain_group> groups, const char* text) {
    gtr_chain chain = c.chain;
    chain.groups = groups.data();
    chain.group_count = static_cast<int64_t>(groups.size());
    EXPECT_REFUSED(with(chain), kInvalid, operation, "chain.groups", text);
    int64_t size = -1;
    if (std::strstr(text, "rows of chain.z") == nullptr) {
      EXPECT_REFUSED(gtr_head_chain_scratch_size(head, &chain, &size), kInvalid, "gtr_head_chain_scratch_size",
                     "chain.groups", text);
    }
  };
  groups_refused({{0, 5, 1}, {4, 3, 0}}, "chain.groups[0].rows is 0; allowed are 1 and more");
  groups_refused({{2, 5, 1}, {-2, 3, 0}}, "chain.groups[1].rows is -2");
  groups_refused({{2, 0, 1}, {2, 0, 0}}, "chain.groups[0].steps is 0; allowed are 1 to 1000");
  groups_refused({{2, 1001, 1}, {2, 3, 0}}, "chain.groups[0].steps is 1001");
  groups_refused({{2, 5, 2}, {2, 3, 0}}, "chain.groups[0].guided is 2; allowed are 0 and 1");
  groups_refused({{2, 3, 1}, {2, 5, 0}}, "chain.groups[1].steps is 5 after 3; allowed are steps that do not ascend");
  groups_refused({{INT32_MAX, 3, 1}, {INT32_MAX, 3, 0}}, "chain.groups have more than");
  {
    gtr_chain chain = c.chain;
    chain.place = nullptr;
    const gtr_chain_group seven[] = {{7, 3, 1}};
    chain.groups = seven;
    chain.group_count = 1;
    EXPECT_REFUSED(with(chain), kInvalid, operation, "chain.groups",
                   "chain.groups have 7 rows together; allowed are 0 to 6 (rows of chain.z)");
    chain.groups = nullptr;
    EXPECT_REFUSED(with(chain), kInvalid, operation, "chain.groups", "chain.groups is null");
    chain.group_count = -1;
    EXPECT_REFUSED(with(chain), kInvalid, operation, "chain.group_count", "chain.group_count is -1");
  }

  // Numbers.
  for (const double clip : {-1.0, std::nan(""), HUGE_VAL}) {
    gtr_chain chain = c.chain;
    chain.x0_clip = clip;
    EXPECT_REFUSED(with(chain), kInvalid, operation, "chain.x0_clip", "allowed are finite numbers from 0");
  }
  gtr_chain negative = c.chain;
  negative.modulation_bytes = -1;
  EXPECT_REFUSED(with(negative), kInvalid, operation, "chain.modulation_bytes", "chain.modulation_bytes is -1");

  // Values inside arrays: places, then factors of rows that are there.
  for (const int32_t place : {-1, 6}) {
    c.place.values[3] = place;
    EXPECT_REFUSED(with(c.chain), kInvalid, operation, "chain.place", "; allowed are 0 to 5 (rows of x)");
  }
  c.place.values[3] = 4;
  EXPECT_REFUSED(with(c.chain), kInvalid, operation, "chain.place", "chain.place holds 4 more than once");
  c.place.values[3] = 5;
  for (const float factor : {-1.0f, std::nanf(""), HUGE_VALF, -HUGE_VALF}) {
    c.temperature.values[5] = factor;
    EXPECT_REFUSED(with(c.chain), kInvalid, operation, "chain.temperature", "chain.temperature[5] is ");
    c.temperature.values[5] = 1.0f;
    c.cfg.values[4] = factor;
    EXPECT_REFUSED(with(c.chain), kInvalid, operation, "chain.cfg", "chain.cfg[4] is ");
    c.cfg.values[4] = 2.0f;
  }
  bool unchanged = true;
  for (const float value : c.x.values) unchanged = unchanged && value == 7.0f;
  EXPECT(unchanged);

  // What belongs to no row, or to no guided one, is not read.
  c.temperature.values[1] = c.cfg.values[1] = c.cfg.values[2] = std::nanf("");
  EXPECT_OK(with(c.chain));
  EXPECT(c.x.values[1 * 4] == 7.0f && c.x.values[3 * 4] == 7.0f);  // places of no row
  const gtr_chain_group unguided[] = {{4, 3, 0}};
  gtr_chain plain = c.chain;
  plain.groups = unguided;
  plain.group_count = 1;
  plain.cfg = plain.z_unconditional = nullptr;
  EXPECT_OK(with(plain));
  plain.group_count = 0;
  const Array<int32_t> no_place({0});
  plain.place = &no_place;
  EXPECT_OK(with(plain));

  refuse_bad_scratch(operation, scratch, bytes,
                     [&](void* data, int64_t size) { return run(f.stream, head, &c.chain, &c.x, data, size); });
  EXPECT_OK(gtr_stream_cancel(f.stream));
  EXPECT_REFUSED(with(c.chain), GTR_ERROR_CANCELLED, operation, "stream", "cancelled");
  EXPECT_OK(gtr_stream_reset(f.stream));
  if (!whole) {
    for (const int32_t index : {-1, 5, INT32_MAX}) {
      EXPECT_REFUSED(gtr_head_step(f.stream, head, &c.chain, index, &c.x, scratch.data, bytes), kInvalid, operation,
                     "index", "; allowed are 0 to 4");
    }
  }
}

void chain_scratch_sizes(gtr_head* head) {
  constexpr const char* kOperation = "gtr_head_chain_scratch_size";
  const SmallChain c(kShape);
  int64_t bytes = -1;
  EXPECT_REFUSED(gtr_head_chain_scratch_size(nullptr, &c.chain, &bytes), kInvalid, kOperation, "head", "is null");
  EXPECT_REFUSED(gtr_head_chain_scratch_size(head, nullptr, &bytes), kInvalid, kOperation, "chain", "is null");
  EXPECT_REFUSED(gtr_head_chain_scratch_size(head, &c.chain, nullptr), kInvalid, kOperation, "bytes", "is null");
  // Only groups and modulation_bytes are read.
  gtr_chain bare = {};
  bare.groups = c.groups.data();
  bare.group_count = 2;
  int64_t full = -1;
  EXPECT_OK(gtr_head_chain_scratch_size(head, &bare, &bytes));
  EXPECT_OK(gtr_head_chain_scratch_size(head, &c.chain, &full));
  EXPECT(bytes == full && bytes > 0);
}

void preparation(const Fixture& f, gtr_head* head) {
  constexpr const char* kOperation = "gtr_head_chain_prepare";
  const SmallChain c(kShape);
  // Of the chain only groups and modulation_bytes are read.
  gtr_chain chain = {};
  chain.groups = c.groups.data();
  chain.group_count = 2;
  int64_t bytes = -1;
  EXPECT_OK(gtr_head_chain_scratch_size(head, &chain, &bytes));
  const Scratch scratch(bytes);
  const auto prepare = [&](const gtr_chain& of) {
    return gtr_head_chain_prepare(f.stream, head, &of, scratch.data, bytes);
  };
  EXPECT_OK(prepare(chain));
  EXPECT_OK(prepare(chain));
  refuse_null_stream(kOperation, [&](gtr_stream* stream) {
    return gtr_head_chain_prepare(stream, head, &chain, scratch.data, bytes);
  });
  EXPECT_REFUSED(gtr_head_chain_prepare(f.stream, nullptr, &chain, scratch.data, bytes), kInvalid, kOperation, "head",
                 "head is null");
  EXPECT_REFUSED(gtr_head_chain_prepare(f.stream, head, nullptr, scratch.data, bytes), kInvalid, kOperation, "chain",
                 "chain is null");
  gtr_chain wrong = chain;
  wrong.modulation_bytes = -1;
  EXPECT_REFUSED(prepare(wrong), kInvalid, kOperation, "chain.modulation_bytes", "chain.modulation_bytes is -1");
  const gtr_chain_group ascending[] = {{2, 3, 1}, {2, 5, 0}};
  wrong = chain;
  wrong.groups = ascending;
  EXPECT_REFUSED(prepare(wrong), kInvalid, kOperation, "chain.groups", "chain.groups[1].steps is 5 after 3");
  wrong.groups = nullptr;
  EXPECT_REFUSED(prepare(wrong), kInvalid, kOperation, "chain.groups", "chain.groups is null");
  wrong.group_count = 0;
  EXPECT_OK(prepare(wrong));
  refuse_bad_scratch(kOperation, scratch, bytes, [&](void* data, int64_t size) {
    return gtr_head_chain_prepare(f.stream, head, &chain, data, size);
  });
  EXPECT_OK(gtr_stream_cancel(f.stream));
  EXPECT_REFUSED(prepare(chain), GTR_ERROR_CANCELLED, kOperation, "stream", "cancelled");
  EXPECT_OK(gtr_stream_reset(f.stream));
}

}  // namespace
}  // namespace gtr::test

int main() {
  using namespace gtr::test;
  {
    const Fixture f;
    tables();
    creation(f);
    for (const int32_t precision : {GTR_PRECISION_F32, GTR_PRECISION_BF16}) {
      gtr_head* head = nullptr;
      EXPECT_OK(gtr_head_create(f.device, &kShape, precision, &head));
      setting(head);
      completeness(f, head);
      forward(f, head);
      chains(f, head, "gtr_head_chain");
      chains(f, head, "gtr_head_step");
      chain_scratch_sizes(head);
      preparation(f, head);
      EXPECT_OK(gtr_head_destroy(head));
    }
  }
  return result();
}
