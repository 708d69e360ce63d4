// Guided images that go through a plan together: what the sampler enqueues in each decode step, without its waits.
#pragma once

#include <memory>
#include <vector>

#include "gtr/gtr.h"
#include "image_model.h"
#include "matrix.h"
#include "plan.h"
#include "session.h"

namespace gtr::bench {

class ImageRun {
 public:
  // All memory is allocated and the indices of all steps are on the device when it returns. model, plan and session
  // must outlive it.
  ImageRun(const Session& session, const ImageModel& model, const Plan& plan, int32_t images);

  size_t steps() const { return steps_.size(); }

  // Encoder and decoder of a step: its condition vectors.
  void enqueue_backbone(size_t step);
  // The choice of detail tokens where the plan has one, the chains of the step's tokens, and their way into the
  // encoder's input.
  void enqueue_head(size_t step);

 private:
  struct Step {
    Step(const Session& session, const Model& model, const DecodeStep& decoded, int32_t images);

    int64_t known;         // tokens per image
    int64_t wanted;        // likewise
    Array encoder_source;  // of sequences * (buffer + known) rows: projected token, or -1 - class
    Array encoder_place;
    Array decoder_source;  // of sequences * places rows: encoder row, or -1 for the mask token
    Array decoder_place;
    Array wanted_row;   // of sequences * wanted rows: decoder row
    Array wanted_cell;  // and cell
    Array identity;     // 0, 1, 2, ...
    Array token;        // of images * wanted rows: image * tokens + cell
    Array cell;         // likewise, as u32
    Array image;        // likewise
    Array place;        // likewise: row of each row of the chain
    std::vector<gtr_chain_group> groups;
    std::vector<gtr_segment> segments;
  };

  void norm(const gtr_tensor& x, const gtr_tensor& y);
  void linear(const LinearWeights& weights, gtr_activation activation, const gtr_tensor& x, const gtr_tensor* residual,
              const gtr_tensor& y);
  void attention(const gtr_tensor& q, const gtr_tensor& qkv, const gtr_tensor& out, int64_t queries, int64_t keys);
  void block(const BlockWeights& weights, int64_t rows, int64_t length);
  void finish(const BlockWeights& weights, const gtr_tensor& attended, const gtr_tensor& hidden);
  void last_block(const BlockWeights& weights, const Step& step);
  gtr_chain chain_of(const Step& step);
  int64_t scratch_bytes();

  const Session& session_;
  const ImageModel& model_;
  int32_t images_;
  int64_t sequences_;
  int64_t most_wanted_;  // of one image and step
  std::vector<std::unique_ptr<Step>> steps_;

  Matrix projected_;  // [images * tokens, width]
  Matrix hidden_;     // [sequences * places, width], as the next ones
  Matrix other_;
  Matrix normed_;
  Matrix wide_;  // [sequences * places, 4 width], or 3 width
  Matrix attended_;
  Matrix queries_;     // [sequences * most wanted, width]
  Matrix conditions_;  // likewise
  Matrix x_;           // [images * most wanted, channels]
  Matrix scores_;      // [1, images * most wanted]
  Matrix projection_;  // [images * most wanted, width]
  Array seed_;
  Array cfg_;
  Array temperature_;
  // The arguments of a chain that it refers to.
  gtr_tensor chain_z_{};
  gtr_tensor chain_z_unconditional_{};
  gtr_tensor chain_seed_{};
  gtr_tensor chain_cfg_{};
  gtr_tensor chain_temperature_{};
  std::unique_ptr<Scratch> scratch_;
};

}  // namespace gtr::bench
