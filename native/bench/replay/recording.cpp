#include "recording.h"

#include <stdexcept>
#include <string>
#include <utility>

namespace gtr::bench {

Recording& Recording::instance() {
  static Recording recording;
  return recording;
}

void Recording::start() {
  const std::lock_guard<std::mutex> lock(mutex_);
  calls_.clear();
  fetches_.clear();
  on_.store(true, std::memory_order_release);
}

int64_t Recording::stop() {
  on_.store(false, std::memory_order_release);
  const std::lock_guard<std::mutex> lock(mutex_);
  return static_cast<int64_t>(calls_.size());
}

void Recording::add(gtr_stream* stream, Call call) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (calls_.empty()) {
    device_ = streams_.at(stream);
  }
  calls_.push_back(std::move(call));
}

void Recording::add(gtr_stream* stream, Call call, std::shared_ptr<Fetch> fetch) {
  add(stream, std::move(call));
  const std::lock_guard<std::mutex> lock(mutex_);
  fetches_.push_back(std::move(fetch));
}

double Recording::take_spent() {
  const std::chrono::steady_clock::duration time{spent_.exchange(0, std::memory_order_relaxed)};
  return std::chrono::duration<double>(time).count();
}

gtr_device* Recording::device() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (is_on() || calls_.empty()) {
    throw std::runtime_error(is_on() ? "the recording has not ended" : "nothing is recorded");
  }
  return device_;
}

double Recording::run(gtr_stream* stream) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto start = std::chrono::steady_clock::now();
  for (size_t i = 0; i < calls_.size(); ++i) {
    const gtr_status status = calls_[i](stream);
    if (status != GTR_OK) {
      throw std::runtime_error("call " + std::to_string(i) + " of the recording failed with status " +
                               std::to_string(status));
    }
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  for (size_t i = 0; i < fetches_.size(); ++i) {
    if (fetches_[i]->fetched != fetches_[i]->expected) {
      throw std::runtime_error("copy " + std::to_string(i) + " to the host brought other bytes than the recorded one");
    }
  }
  return seconds.count();
}

void Recording::created(gtr_stream* stream, gtr_device* device) {
  const std::lock_guard<std::mutex> lock(mutex_);
  streams_[stream] = device;
}

void Recording::destroyed(gtr_stream* stream) {
  const std::lock_guard<std::mutex> lock(mutex_);
  streams_.erase(stream);
}

void Recording::allocated(const void* data, int32_t space, int64_t bytes) {
  if (space == GTR_MEMORY_HOST) {
    const std::lock_guard<std::mutex> lock(mutex_);
    host_[static_cast<const char*>(data)] = bytes;
  }
}

void Recording::freed(const void* data) {
  const std::lock_guard<std::mutex> lock(mutex_);
  host_.erase(static_cast<const char*>(data));
}

bool Recording::is_host(const void* data) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  const char* const address = static_cast<const char*>(data);
  auto block = host_.upper_bound(address);
  return block != host_.begin() && address < (--block)->first + block->second;
}

}  // namespace gtr::bench
