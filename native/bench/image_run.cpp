#include "image_run.h"

#include <algorithm>
#include <cmath>

namespace gtr::bench {
namespace {

constexpr int32_t kLabel = 1;
constexpr uint64_t kSeed = 1;
constexpr float kCfg = 3;
constexpr float kTemperature = 1;

int64_t element_size(const gtr_tensor& tensor) { return tensor.dtype == GTR_BF16 ? 2 : 4; }

// The first bytes of a matrix's memory as a matrix of another shape.
gtr_tensor shaped(const Matrix& matrix, int64_t rows, int64_t columns) {
  gtr_tensor tensor = matrix.tensor();
  tensor.size = rows * columns * element_size(tensor);
  tensor.shape[0] = rows;
  tensor.shape[1] = columns;
  tensor.stride[0] = columns;
  return tensor;
}

gtr_tensor rows_of(gtr_tensor tensor, int64_t first, int64_t count) {
  const int64_t skipped = first * tensor.stride[0] * element_size(tensor);
  tensor.data = static_cast<char*>(tensor.data) + skipped;
  tensor.size -= skipped;
  tensor.shape[0] = count;
  return tensor;
}

gtr_tensor columns_of(gtr_tensor tensor, int64_t first, int64_t count) {
  const int64_t skipped = first * element_size(tensor);
  tensor.data = static_cast<char*>(tensor.data) + skipped;
  tensor.size -= skipped;
  tensor.shape[1] = count;
  return tensor;
}

gtr_tensor vector_of(const Matrix& matrix, int64_t first, int64_t count) {
  gtr_tensor tensor = matrix.vector();
  tensor.data = static_cast<char*>(tensor.data) + first * element_size(tensor);
  tensor.size = count * element_size(tensor);
  tensor.shape[0] = count;
  return tensor;
}

// A matrix [batch * length, heads * dim] as [batch, length, heads, dim].
gtr_tensor heads_of(gtr_tensor tensor, int64_t batch, int64_t length, int64_t heads) {
  const int64_t dim = tensor.shape[1] / heads;
  const int64_t row = tensor.stride[0];
  tensor.rank = 4;
  const int64_t shape[] = {batch, length, heads, dim};
  const int64_t stride[] = {length * row, row, dim, 1};
  std::copy_n(shape, 4, tensor.shape);
  std::copy_n(stride, 4, tensor.stride);
  return tensor;
}

// f(image) of every image's `count` rows in turn.
template <typename F>
std::vector<int32_t> per_row(int64_t blocks, int64_t count, const F& f) {
  std::vector<int32_t> values;
  for (int64_t block = 0; block < blocks; ++block) {
    for (int64_t i = 0; i < count; ++i) {
      values.push_back(static_cast<int32_t>(f(block, i)));
    }
  }
  return values;
}

gtr_dtype activation_of(gtr_precision precision) { return precision == GTR_PRECISION_F32 ? GTR_F32 : GTR_BF16; }

int64_t most_wanted(const Plan& plan) {
  size_t most = 0;
  for (const DecodeStep& step : plan.steps) {
    most = std::max(most, step.cells.size());
  }
  return static_cast<int64_t>(most);
}

Array unsigned_array(const Session& session, const std::vector<int32_t>& values) {
  return {session, GTR_U32, values.data(), static_cast<int64_t>(values.size())};
}

}  // namespace

// Sequences are the conditional halves of all images and then their unconditional ones.
ImageRun::Step::Step(const Session& session, const Model& model, const DecodeStep& decoded, int32_t images)
    : known(static_cast<int64_t>(decoded.known.size())),
      wanted(static_cast<int64_t>(decoded.cells.size())),
      encoder_source(session, per_row(2 * images, model.buffer + known,
                                      [&](int64_t s, int64_t i) {
                                        const int64_t label = s < images ? kLabel : model.classes;
                                        return i < model.buffer
                                                   ? -1 - label
                                                   : s % images * model.tokens() +
                                                         decoded.known[static_cast<size_t>(i - model.buffer)];
                                      })),
      encoder_place(session, per_row(2 * images, model.buffer + known,
                                     [&](int64_t, int64_t i) {
                                       return i < model.buffer
                                                  ? i
                                                  : model.buffer + decoded.known[static_cast<size_t>(i - model.buffer)];
                                     })),
      decoder_source(session, per_row(2 * images, model.places(),
                                      [&](int64_t s, int64_t i) -> int64_t {
                                        const int64_t first = s * (model.buffer + known);
                                        if (i < model.buffer) {
                                          return first + i;
                                        }
                                        const auto at = std::lower_bound(decoded.known.begin(), decoded.known.end(),
                                                                         static_cast<int32_t>(i - model.buffer));
                                        const bool is_known = at != decoded.known.end() && *at == i - model.buffer;
                                        return is_known ? first + model.buffer + (at - decoded.known.begin()) : -1;
                                      })),
      decoder_place(session, per_row(2 * images, model.places(), [](int64_t, int64_t i) { return i; })),
      wanted_row(session, per_row(2 * images, wanted,
                                  [&](int64_t s, int64_t i) {
                                    return s * model.places() + model.buffer + decoded.cells[static_cast<size_t>(i)];
                                  })),
      wanted_cell(session, per_row(2 * images, wanted,
                                   [&](int64_t, int64_t i) { return decoded.cells[static_cast<size_t>(i)]; })),
      identity(session, per_row(1, 2 * images * wanted, [](int64_t, int64_t i) { return i; })),
      token(session, per_row(images, wanted,
                             [&](int64_t image_of, int64_t i) {
                               return image_of * model.tokens() + decoded.cells[static_cast<size_t>(i)];
                             })),
      cell(unsigned_array(
          session, per_row(images, wanted, [&](int64_t, int64_t i) { return decoded.cells[static_cast<size_t>(i)]; }))),
      image(unsigned_array(session, per_row(images, wanted, [](int64_t image_of, int64_t) { return image_of; }))),
      place(session, per_row(1, images * wanted, [](int64_t, int64_t i) { return i; })) {
  const int32_t detail = decoded.detail_tokens;
  const auto rest = static_cast<int32_t>(wanted) - detail;
  if (detail > 0) {
    groups.push_back({images * detail, decoded.detail_diffusion_steps, 1});
    for (int32_t i = 0; i < images; ++i) {
      segments.push_back({i * static_cast<int32_t>(wanted), static_cast<int32_t>(wanted), detail, i * detail,
                          images * detail + i * rest});
    }
  }
  if (rest > 0) {
    groups.push_back({images * rest, decoded.diffusion_steps, 1});
  }
}

ImageRun::ImageRun(const Session& session, const ImageModel& model, const Plan& plan, int32_t images)
    : session_(session),
      model_(model),
      images_(images),
      sequences_(2 * images),
      most_wanted_(most_wanted(plan)),
      projected_(session, images * model.shape.tokens(), model.shape.width),
      hidden_(session, sequences_ * model.shape.places(), model.shape.width),
      other_(session, sequences_ * model.shape.places(), model.shape.width),
      normed_(session, sequences_ * model.shape.places(), model.shape.width, activation_of(model.precision)),
      wide_(session, sequences_ * model.shape.places(), 4 * model.shape.width, activation_of(model.precision)),
      attended_(session, sequences_ * model.shape.places(), model.shape.width, activation_of(model.precision)),
      queries_(session, sequences_ * most_wanted_, model.shape.width, activation_of(model.precision)),
      conditions_(session, sequences_ * most_wanted_, model.shape.width),
      x_(session, images * most_wanted_, kChannels),
      scores_(session, 1, images * most_wanted_),
      projection_(session, images * most_wanted_, model.shape.width),
      seed_(session, GTR_U64, &kSeed, 1),
      cfg_(session, GTR_F32, &kCfg, 1),
      temperature_(session, GTR_F32, &kTemperature, 1) {
  for (const DecodeStep& step : plan.steps) {
    steps_.push_back(std::make_unique<Step>(session, model.shape, step, images));
  }
  scratch_ = std::make_unique<Scratch>(session, scratch_bytes());
}

int64_t ImageRun::scratch_bytes() {
  const Model& shape = model_.shape;
  const int64_t rows = sequences_ * shape.places();
  int64_t most = 0;
  const auto need = [&](int64_t bytes) { most = std::max(most, bytes); };
  const auto need_attention = [&](int64_t queries, int64_t keys) {
    int64_t bytes = 0;
    check(gtr_attention_scratch_size(session_.device(), model_.precision, sequences_, queries, keys, shape.heads,
                                     shape.width / shape.heads, &bytes));
    need(bytes);
  };
  const BlockWeights& block = *model_.encoder.front();
  for (const LinearWeights* linear :
       {&model_.z_proj, &model_.decoder_embed, &block.qkv, &block.proj, &block.fc1, &block.fc2}) {
    need(linear->scratch_size(rows));
  }
  need_attention(shape.places(), shape.places());
  for (const auto& step : steps_) {
    need_attention(shape.buffer + step->known, shape.buffer + step->known);
    need_attention(step->wanted, shape.places());
    const gtr_chain chain = chain_of(*step);
    int64_t bytes = 0;
    check(gtr_head_chain_scratch_size(model_.head.get(), &chain, &bytes));
    need(bytes);
    check(gtr_frequency_energy_scratch_size(session_.device(), step->wanted, shape.width, &bytes));
    need(bytes);
    check(gtr_top_fraction_scratch_size(session_.device(), images_ * step->wanted, &bytes));
    need(bytes);
  }
  return most;
}

void ImageRun::norm(const gtr_tensor& x, const gtr_tensor& y) {
  const gtr_tensor affine = model_.norm.vector();
  check(gtr_layer_norm(session_.stream(), &x, &affine, &affine, nullptr, nullptr, 1e-6, &y));
}

void ImageRun::linear(const LinearWeights& weights, gtr_activation activation, const gtr_tensor& x,
                      const gtr_tensor* residual, const gtr_tensor& y) {
  check(gtr_linear(session_.stream(), weights.get(), activation, &x, nullptr, residual, &y, scratch_->data(),
                   scratch_->size()));
}

// q [sequences * queries, width]; qkv [sequences * keys, 3 width]; out as q.
void ImageRun::attention(const gtr_tensor& q, const gtr_tensor& qkv, const gtr_tensor& out, int64_t queries,
                         int64_t keys) {
  const Model& shape = model_.shape;
  const gtr_tensor q_heads = heads_of(q, sequences_, queries, shape.heads);
  const gtr_tensor k_heads = heads_of(columns_of(qkv, shape.width, shape.width), sequences_, keys, shape.heads);
  const gtr_tensor v_heads = heads_of(columns_of(qkv, 2 * shape.width, shape.width), sequences_, keys, shape.heads);
  const gtr_tensor out_heads = heads_of(out, sequences_, queries, shape.heads);
  const double scale = 1 / std::sqrt(static_cast<double>(shape.width / shape.heads));
  check(gtr_attention(session_.stream(), model_.precision, scale, &q_heads, &k_heads, &v_heads, nullptr, nullptr,
                      nullptr, &out_heads, scratch_->data(), scratch_->size()));
}

// What follows attention.
void ImageRun::finish(const BlockWeights& weights, const gtr_tensor& attended, const gtr_tensor& hidden) {
  const int64_t rows = hidden.shape[0];
  const int64_t width = model_.shape.width;
  const gtr_tensor normed = shaped(normed_, rows, width);
  const gtr_tensor mlp = shaped(wide_, rows, 4 * width);
  linear(weights.proj, GTR_ACTIVATION_NONE, attended, &hidden, hidden);
  norm(hidden, normed);
  linear(weights.fc1, GTR_ACTIVATION_GELU, normed, nullptr, mlp);
  linear(weights.fc2, GTR_ACTIVATION_NONE, mlp, &hidden, hidden);
}

void ImageRun::block(const BlockWeights& weights, int64_t rows, int64_t length) {
  const int64_t width = model_.shape.width;
  const gtr_tensor hidden = shaped(hidden_, rows, width);
  const gtr_tensor normed = shaped(normed_, rows, width);
  const gtr_tensor qkv = shaped(wide_, rows, 3 * width);
  const gtr_tensor attended = shaped(attended_, rows, width);
  norm(hidden, normed);
  linear(weights.qkv, GTR_ACTIVATION_NONE, normed, nullptr, qkv);
  attention(columns_of(qkv, 0, width), qkv, attended, length, length);
  finish(weights, attended, hidden);
}

// The decoder's last block, of which only the wanted rows' results are needed.
void ImageRun::last_block(const BlockWeights& weights, const Step& step) {
  const int64_t width = model_.shape.width;
  const int64_t places = model_.shape.places();
  const int64_t all = sequences_ * places;
  const int64_t rows = sequences_ * step.wanted;
  const gtr_tensor hidden = shaped(hidden_, all, width);
  const gtr_tensor normed = shaped(normed_, all, width);
  const gtr_tensor qkv = shaped(wide_, all, 3 * width);
  const gtr_tensor queries = shaped(queries_, rows, width);
  const gtr_tensor attended = shaped(attended_, rows, width);
  const gtr_tensor wanted = shaped(other_, rows, width);
  const gtr_tensor all_queries = columns_of(qkv, 0, width);
  norm(hidden, normed);
  linear(weights.qkv, GTR_ACTIVATION_NONE, normed, nullptr, qkv);
  check(gtr_gather(session_.stream(), &all_queries, &step.wanted_row.tensor(), &queries));
  attention(queries, qkv, attended, step.wanted, places);
  check(gtr_gather(session_.stream(), &hidden, &step.wanted_row.tensor(), &wanted));
  finish(weights, attended, wanted);
}

void ImageRun::enqueue_backbone(size_t index) {
  const Step& step = *steps_[index];
  const Model& shape = model_.shape;
  const int64_t width = shape.width;
  const int64_t length = shape.buffer + step.known;
  const int64_t encoder_rows = sequences_ * length;
  const int64_t decoder_rows = sequences_ * shape.places();
  const int64_t wanted_rows = sequences_ * step.wanted;

  const gtr_tensor encoded = shaped(hidden_, encoder_rows, width);
  const gtr_tensor normed = shaped(normed_, encoder_rows, width);
  const gtr_tensor embedded = shaped(other_, encoder_rows, width);
  check(gtr_embed(session_.stream(), &projected_.tensor(), &model_.classes.tensor(), &step.encoder_source.tensor(),
                  &model_.encoder_positions.tensor(), &step.encoder_place.tensor(), &encoded));
  norm(encoded, encoded);
  for (const auto& weights : model_.encoder) {
    block(*weights, encoder_rows, length);
  }
  norm(encoded, normed);
  linear(model_.decoder_embed, GTR_ACTIVATION_NONE, normed, nullptr, embedded);

  const gtr_tensor decoded = shaped(hidden_, decoder_rows, width);
  check(gtr_embed(session_.stream(), &embedded, &model_.mask_token.tensor(), &step.decoder_source.tensor(),
                  &model_.decoder_positions.tensor(), &step.decoder_place.tensor(), &decoded));
  for (size_t i = 0; i + 1 < model_.decoder.size(); ++i) {
    block(*model_.decoder[i], decoder_rows, shape.places());
  }
  last_block(*model_.decoder.back(), step);
  const gtr_tensor wanted = shaped(other_, wanted_rows, width);
  const gtr_tensor wanted_normed = shaped(hidden_, wanted_rows, width);
  const gtr_tensor conditions = shaped(conditions_, wanted_rows, width);
  norm(wanted, wanted_normed);
  check(gtr_embed(session_.stream(), &wanted_normed, nullptr, &step.identity.tensor(),
                  &model_.diffusion_positions.tensor(), &step.wanted_cell.tensor(), &conditions));
}

gtr_chain ImageRun::chain_of(const Step& step) {
  const int64_t rows = images_ * step.wanted;
  const gtr_tensor conditions = shaped(conditions_, 2 * rows, model_.shape.width);
  chain_z_ = rows_of(conditions, 0, rows);
  chain_z_unconditional_ = rows_of(conditions, rows, rows);
  chain_seed_ = seed_.broadcast(rows);
  chain_cfg_ = cfg_.broadcast(rows);
  chain_temperature_ = temperature_.broadcast(rows);
  gtr_chain chain{};
  chain.groups = step.groups.data();
  chain.group_count = static_cast<int64_t>(step.groups.size());
  chain.place = &step.place.tensor();
  chain.z = &chain_z_;
  chain.z_unconditional = &chain_z_unconditional_;
  chain.seed = &chain_seed_;
  chain.image = &step.image.tensor();
  chain.cell = &step.cell.tensor();
  chain.cfg = &chain_cfg_;
  chain.temperature = &chain_temperature_;
  return chain;
}

void ImageRun::enqueue_head(size_t index) {
  const Step& step = *steps_[index];
  const int64_t rows = images_ * step.wanted;
  const gtr_chain chain = chain_of(step);
  if (!step.segments.empty()) {
    const gtr_tensor all_scores = vector_of(scores_, 0, rows);
    for (const gtr_segment& segment : step.segments) {
      const gtr_tensor z = rows_of(chain_z_, segment.first, segment.count);
      const gtr_tensor scores = vector_of(scores_, segment.first, segment.count);
      check(gtr_frequency_energy(session_.stream(), &z, &scores, scratch_->data(), scratch_->size()));
    }
    check(gtr_top_fraction(session_.stream(), &all_scores, &step.cell.tensor(), step.segments.data(),
                           static_cast<int64_t>(step.segments.size()), &step.place.tensor(), scratch_->data(),
                           scratch_->size()));
  }
  const gtr_tensor x = shaped(x_, rows, kChannels);
  check(gtr_head_chain(session_.stream(), model_.head.get(), &chain, &x, scratch_->data(), scratch_->size()));
  const gtr_tensor projection = shaped(projection_, rows, model_.shape.width);
  linear(model_.z_proj, GTR_ACTIVATION_NONE, x, nullptr, projection);
  check(gtr_scatter(session_.stream(), &projection, &step.token.tensor(), &projected_.tensor()));
}

}  // namespace gtr::bench
