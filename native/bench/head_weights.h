// A diffusion head with random weights.
#pragma once

#include <string>

#include "gtr/gtr.h"
#include "models.h"
#include "session.h"

namespace gtr::bench {

gtr_head_shape head_shape(const Model& model);

class HeadWeights {
 public:
  HeadWeights(const Session& session, const gtr_head_shape& shape, gtr_precision precision);
  ~HeadWeights();
  HeadWeights(const HeadWeights&) = delete;
  HeadWeights& operator=(const HeadWeights&) = delete;

  gtr_head* get() const { return handle_; }

 private:
  void set_linear(const std::string& name, int64_t outputs, int64_t inputs, float scale = 1);
  void set_vector(const std::string& name, int64_t size);

  const Session& session_;
  gtr_head* handle_ = nullptr;
};

}  // namespace gtr::bench
