// The head of a MAR checkpoint for the reference.
#pragma once

#include <string>

#include "reference/head.h"
#include "safetensors.h"

namespace gtr::test::reference {

// Sizes are read off the shapes.
inline Head head_of(const Safetensors& checkpoint, gtr_precision precision) {
  const std::string prefix = "diffloss.net.";
  const auto& input = checkpoint.get(prefix + "input_proj.weight").shape;
  Head head{input[1], checkpoint.get(prefix + "cond_embed.weight").shape[1], input[0], 0, precision, {}};
  while (checkpoint.has(prefix + "res_blocks." + std::to_string(head.blocks) + ".in_ln.weight")) ++head.blocks;
  for (const auto& tensor : head_tensors(head.channels, head.condition, head.width, head.blocks)) {
    head.tensors[tensor.first] = checkpoint.values(prefix + tensor.first);
  }
  return head;
}

}  // namespace gtr::test::reference
