#include "cards.h"

#include <cstdio>
#include <cstdlib>

#include "runtime_errors.h"
#if !defined(GTR_CUDA_EMU)
#include "compiled_for.h"
#endif

namespace gtr::cuda {
namespace {

// bf16 tensor cores and cp.async came with compute capability 8.0.
constexpr int kLowestCapability = 80;
// Code for 9.0 and newer knows dependency_wait.
constexpr int kOverlapCapability = 90;

#if defined(GTR_CUDA_EMU)
constexpr int kMachineCode[] = {80, 90};
constexpr int kPtx = 90;
#else
// What the build compiled for (cuda/CMakeLists.txt): machine code for these capabilities, and PTX of the newest of
// them, which the driver of a newer card compiles. Machine code runs on later minor versions of its major one.
constexpr int kMachineCode[] = {GTR_CUDA_MACHINE_CODE};
constexpr int kPtx = GTR_CUDA_PTX;
#endif

// The capability that the code which the card runs was compiled for, 0 if there is none.
int code_for(int capability) noexcept {
  int best = 0;
  for (const int code : kMachineCode) {
    if (code / 10 == capability / 10 && code <= capability) best = code > best ? code : best;
  }
  return best == 0 && capability >= kPtx ? kPtx : best;
}

// The sentence grows by what is appended; what does not fit is cut.
class Sentence {
 public:
  Sentence(char* text, size_t size) noexcept : text_(text), size_(size) { text[0] = '\0'; }
  bool is_empty() const noexcept { return length_ == 0; }
  template <typename... Values>
  void append(const char* format, Values... values) noexcept {
    if (length_ < size_) {
      length_ += static_cast<size_t>(std::snprintf(text_ + length_, size_ - length_, format, values...));
    }
  }

 private:
  char* text_;
  size_t size_;
  size_t length_ = 0;
};

// "8.0, 9.0"
void name_code(Sentence& sentence) noexcept {
  for (const int code : kMachineCode) {
    sentence.append("%s%d.%d", code == kMachineCode[0] ? "" : ", ", code / 10, code % 10);
  }
}

void say_why_none(Sentence& sentence, cudaError_t error) noexcept {
  int driver = 0;
  int runtime = 0;
  const bool driver_is_known = cudaDriverGetVersion(&driver) == cudaSuccess;
  cudaRuntimeGetVersion(&runtime);
  cudaGetLastError();
  sentence.append("no %s device: ", kBackendName);
  if (driver_is_known && driver == 0) {
    sentence.append("the NVIDIA driver (libcuda.so.1) is not installed");
  } else if (error == cudaErrorInsufficientDriver) {
    sentence.append("the NVIDIA driver knows CUDA %s, which is older than the %s of this build",
                    VersionText(driver).text, VersionText(runtime).text);
  } else if (error == cudaErrorNoDevice || error == cudaSuccess) {
    sentence.append("the NVIDIA driver (CUDA %s) finds no card", VersionText(driver).text);
    const char* visible = std::getenv("CUDA_VISIBLE_DEVICES");
    if (visible != nullptr) sentence.append("; CUDA_VISIBLE_DEVICES is \"%.40s\"", visible);
  } else {
    sentence.append("%s", ErrorText(error).text);
  }
}

}  // namespace

cudaError_t read_card(int ordinal, CardProperties* card) noexcept {
  cudaDeviceProp properties;
  cudaError_t result = cudaGetDeviceProperties(&properties, ordinal);
  if (result != cudaSuccess) return result;
  std::snprintf(card->name, sizeof card->name, "%.127s", properties.name);
  card->memory_bytes = static_cast<int64_t>(properties.totalGlobalMem);
  const auto read = [&](cudaDeviceAttr attribute) {
    int value = 0;
    const cudaError_t failed = cudaDeviceGetAttribute(&value, attribute, ordinal);
    if (result == cudaSuccess) result = failed;
    return value;
  };
  card->limits.multiprocessors = read(cudaDevAttrMultiProcessorCount);
  card->limits.shared_bytes = read(cudaDevAttrMaxSharedMemoryPerBlockOptin);
  card->limits.l2_bytes = read(cudaDevAttrL2CacheSize);
  card->limits.compute_capability =
      read(cudaDevAttrComputeCapabilityMajor) * 10 + read(cudaDevAttrComputeCapabilityMinor);
  card->limits.overlaps_launches = code_for(card->limits.compute_capability) >= kOverlapCapability;
  return result;
}

Cards find_cards(char* text, size_t size) noexcept {
  Cards cards;
  Sentence sentence(text, size);
  int present = 0;
  cudaError_t result = cudaGetDeviceCount(&present);
  if (result != cudaSuccess || present == 0) {
    say_why_none(sentence, result);
    return cards;
  }
  char usable_text[256];
  char others_text[256];
  Sentence usable(usable_text, sizeof usable_text);
  Sentence others(others_text, sizeof others_text);
  const auto refuse = [&](const CardProperties& card, const char* format, auto... values) {
    others.append("%s%s has compute capability %d.%d, ", others.is_empty() ? "" : "; ", card.name,
                  card.limits.compute_capability / 10, card.limits.compute_capability % 10);
    others.append(format, values...);
  };
  for (int ordinal = 0; ordinal < present && cards.count < Cards::kMost; ++ordinal) {
    CardProperties card = {};
    result = read_card(ordinal, &card);
    const int capability = card.limits.compute_capability;
    if (result != cudaSuccess) {
      others.append("%scard %d: %s", others.is_empty() ? "" : "; ", ordinal, ErrorText(result).text);
    } else if (capability < kLowestCapability) {
      refuse(card, "allowed are 8.0 and newer");
    } else if (code_for(capability) == 0) {
      refuse(card, "this build has code for ");
      name_code(others);
    } else {
      usable.append("%s%s (%d.%d)", cards.count == 0 ? "" : ", ", card.name, capability / 10, capability % 10);
      cards.ordinals[cards.count++] = ordinal;
    }
  }
  if (cards.count == 0) {
    sentence.append("no %s device: %s", kBackendName, others_text);
  } else {
    sentence.append("%d %s device%s: %s", cards.count, kBackendName, cards.count == 1 ? "" : "s", usable_text);
    if (!others.is_empty()) sentence.append("; not used: %s", others_text);
  }
  return cards;
}

}  // namespace gtr::cuda
