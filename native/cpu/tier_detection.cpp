#include "tier_detection.h"

#include <atomic>
#include <cstdio>
#include <cstring>

#if defined(__x86_64__) && defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace gtr::cpu {
namespace {

constexpr struct {
  Tier tier;
  const char* name;
} kTiers[] = {{Tier::kScalar, "scalar"},
              {Tier::kAvx2, "avx2"},
              {Tier::kAvx512, "avx512"},
              {Tier::kAvx512Bf16, "avx512bf16"},
              {Tier::kAmxBf16, "amxbf16"}};

#if defined(__x86_64__)

struct Registers {
  uint32_t eax, ebx, ecx, edx;
};

Registers cpuid(uint32_t leaf, uint32_t subleaf) noexcept {
  Registers r;
  __asm__ volatile("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx) : "a"(leaf), "c"(subleaf));
  return r;
}

// XCR0: the register states that the operating system saves. Only where CPUID says OSXSAVE.
uint64_t saved_register_states() noexcept {
  uint32_t low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return uint64_t{high} << 32 | low;
}

bool has(uint32_t word, int bit) noexcept { return (word >> bit & 1) != 0; }

#if !defined(GTR_EMULATE_AMX)
// Linux gives the tiles' 8 KiB to processes that ask for them: all threads of this one may use them from then on. It
// refuses where a thread has too small a stack for signals.
bool may_use_tiles() noexcept {
#if defined(__linux__)
  constexpr long kRequestPermission = 0x1023;  // ARCH_REQ_XCOMP_PERM
  constexpr long kTileData = 18;               // XFEATURE_XTILEDATA
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
#else
  return false;
#endif
}
#endif

Tier detect() noexcept {
  constexpr uint64_t kSseAndAvx = 0x6;             // XMM, YMM
  constexpr uint64_t kAvx512 = kSseAndAvx | 0xe0;  // and mask registers, upper halves of ZMM0-15, ZMM16-31
#if !defined(GTR_EMULATE_AMX)
  constexpr uint64_t kTiles = 0x60000;  // their configuration, their data
#endif
  const uint32_t leaves = cpuid(0, 0).eax;
  const Registers one = cpuid(1, 0);
  if (leaves < 7 || !has(one.ecx, 27) /* OSXSAVE */) return Tier::kScalar;
  const uint64_t saved = saved_register_states();
  const Registers seven = cpuid(7, 0);
  const bool avx2 = has(seven.ebx, 5) && has(one.ecx, 12) /* FMA */ && has(one.ecx, 29) /* F16C */;
  if (!avx2 || (saved & kSseAndAvx) != kSseAndAvx) return Tier::kScalar;
  const bool avx512 = has(seven.ebx, 16) /* F */ && has(seven.ebx, 17) /* DQ */ && has(seven.ebx, 30) /* BW */ &&
                      has(seven.ebx, 31) /* VL */;
  if (!avx512 || (saved & kAvx512) != kAvx512) return Tier::kAvx2;
  const bool bf16 = seven.eax >= 1 && has(cpuid(7, 1).eax, 5);
  if (!bf16) return Tier::kAvx512;
#if defined(GTR_EMULATE_AMX)
  return Tier::kAmxBf16;
#else
  const bool amx = has(seven.edx, 22) /* BF16 */ && has(seven.edx, 24) /* TILE */;
  return amx && (saved & kTiles) == kTiles && may_use_tiles() ? Tier::kAmxBf16 : Tier::kAvx512Bf16;
#endif
}

#else

Tier detect() noexcept { return Tier::kScalar; }

#endif

constexpr bool built(Tier tier) noexcept {
  switch (tier) {
    case Tier::kScalar:
      return true;
#if defined(GTR_HAS_TIER_AVX2)
    case Tier::kAvx2:
      return true;
#endif
#if defined(GTR_HAS_TIER_AVX512)
    case Tier::kAvx512:
      return true;
#endif
#if defined(GTR_HAS_TIER_AVX512BF16)
    case Tier::kAvx512Bf16:
      return true;
#endif
#if defined(GTR_HAS_TIER_AMXBF16)
    case Tier::kAmxBf16:
      return true;
#endif
    default:
      return false;
  }
}

}  // namespace

bool tier_available(Tier tier) noexcept {
  // Found once; threads that come together find the same. Each tier contains the ones below.
  static std::atomic<Tier> highest{Tier{0}};
  Tier found = highest.load(std::memory_order_relaxed);
  if (found == Tier{0}) {
    found = detect();
    highest.store(found, std::memory_order_relaxed);
  }
  return built(tier) && tier <= found;
}

Tier best_tier() noexcept {
  Tier best = Tier::kScalar;
  for (const auto& entry : kTiers) {
    if (tier_available(entry.tier)) best = entry.tier;
  }
  return best;
}

const char* tier_name(Tier tier) noexcept {
  for (const auto& entry : kTiers) {
    if (entry.tier == tier) return entry.name;
  }
  return "unknown";
}

bool tier_by_name(const char* name, Tier* tier) noexcept {
  for (const auto& entry : kTiers) {
    if (std::strcmp(entry.name, name) == 0) {
      *tier = entry.tier;
      return true;
    }
  }
  return false;
}

void processor_name(char* name, size_t size) noexcept {
#if defined(__x86_64__)
  if (cpuid(0x80000000u, 0).eax >= 0x80000004u) {
    char brand[49] = "";
    for (uint32_t i = 0; i < 3; ++i) {
      const Registers r = cpuid(0x80000002u + i, 0);
      std::memcpy(brand + 16 * i, &r, 16);
    }
    // Intel pads on the left, AMD on the right.
    const char* begin = brand + std::strspn(brand, " ");
    size_t length = std::strlen(begin);
    while (length > 0 && begin[length - 1] == ' ') --length;
    if (length > 0) {
      std::snprintf(name, size, "%.*s", static_cast<int>(length), begin);
      return;
    }
  }
  std::snprintf(name, size, "x86-64 processor");
#elif defined(__aarch64__)
  std::snprintf(name, size, "AArch64 processor");
#else
  std::snprintf(name, size, "processor");
#endif
}

}  // namespace gtr::cpu
