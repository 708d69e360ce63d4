// A small diffusion head whose tensors are all set, and a chain over a few places.
#pragma once

#include <cstdio>
#include <string>
#include <vector>

#include "fixture.h"

namespace gtr::test {

struct HeadTensorName {
  std::string name;
  std::vector<int64_t> shape;
};

// Every tensor of a head, from the list in gtr.h.
inline std::vector<HeadTensorName> head_tensors(const gtr_head_shape& s) {
  std::vector<HeadTensorName> tensors;
  const auto add = [&](const std::string& layer, int64_t rows, int64_t columns) {
    if (columns > 0) {
      tensors.push_back({layer + ".weight", {rows, columns}});
    } else {
      tensors.push_back({layer + ".weight", {rows}});
    }
    tensors.push_back({layer + ".bias", {rows}});
  };
  const int64_t w = s.width;
  add("time_embed.mlp.0", w, 256);
  add("time_embed.mlp.2", w, w);
  add("cond_embed", w, s.condition);
  add("input_proj", w, s.channels);
  for (int32_t b = 0; b < s.blocks; ++b) {
    const std::string block = "res_blocks." + std::to_string(b) + ".";
    add(block + "in_ln", w, 0);
    add(block + "mlp.0", w, w);
    add(block + "mlp.2", w, w);
    add(block + "adaLN_modulation.1", 3 * w, w);
  }
  add("final_layer.adaLN_modulation.1", 2 * w, w);
  add("final_layer.linear", 2 * int64_t{s.channels}, w);
  return tensors;
}

// Small values that differ, without a generator.
inline float small_value(size_t i) { return static_cast<float>(static_cast<int>((i * 7919 + 13) % 101) - 50) / 500; }

// status of the first call that fails.
inline gtr_status set_head(gtr_head* head, const gtr_head_shape& shape) {
  for (const HeadTensorName& t : head_tensors(shape)) {
    Array<float> value({t.shape[0], t.shape.size() > 1 ? t.shape[1] : 1});
    for (size_t i = 0; i < value.values.size(); ++i) value.values[i] = small_value(i);
    if (t.shape.size() == 1) {
      value.tensor.rank = 1;
      value.tensor.stride[0] = 1;
    }
    const gtr_status status = gtr_head_set(head, t.name.c_str(), 0, &value);
    if (status != GTR_OK) return status;
  }
  return GTR_OK;
}

// Six places; four rows of which the first two are guided and run longer.
struct SmallChain {
  explicit SmallChain(const gtr_head_shape& shape)
      : groups{{2, 5, 1}, {2, 3, 0}},
        place({4}),
        z({6, shape.condition}),
        z_unconditional({6, shape.condition}),
        seed({6}, 41),
        image({6}),
        cell({6}),
        cfg({6}, 2.0f),
        temperature({6}, 1.0f),
        x({6, shape.channels}, 7.0f) {
    place.values = {4, 0, 2, 5};
    for (size_t i = 0; i < z.values.size(); ++i) z.values[i] = small_value(i);
    for (size_t i = 0; i < 6; ++i) cell.values[i] = static_cast<uint32_t>(i);
    chain = {groups.data(), 2, &place, &z, &z_unconditional, &seed, &image, &cell, &cfg, &temperature, 0, 0};
  }

  std::vector<gtr_chain_group> groups;
  Array<int32_t> place;
  Array<float> z, z_unconditional;
  Array<uint64_t> seed;
  Array<uint32_t> image, cell;
  Array<float> cfg, temperature;
  Array<float> x;
  gtr_chain chain;
};

}  // namespace gtr::test
