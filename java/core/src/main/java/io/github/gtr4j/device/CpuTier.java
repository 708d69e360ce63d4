package io.github.gtr4j.device;

import io.github.gtr4j.binding.Gtr;
import io.github.gtr4j.binding.Natives;
import io.github.gtr4j.binding.Status;

/** Instruction sets of the CPU backend. */
public enum CpuTier {
  /**
   * What the environment variable {@code GTR_CPU_TIER} names, or else the best that is available.
   */
  AUTO(0, "auto"),
  /** No vector instructions. */
  SCALAR(1, "scalar"),
  /** AVX2, FMA and F16C. */
  AVX2(2, "avx2"),
  /** AVX-512 F, BW, DQ and VL. */
  AVX512(3, "avx512"),
  /** AVX-512 with bfloat16 products. */
  AVX512_BF16(4, "avx512bf16"),
  /** AVX-512 BF16, and AMX for bfloat16 products. */
  AMX_BF16(5, "amxbf16");

  private final int code;
  private final String id;

  CpuTier(int code, String id) {
    this.code = code;
    this.id = id;
  }

  /** Its number in the C ABI, a gtr_cpu_tier. */
  public int code() {
    return code;
  }

  /** How {@code GTR_CPU_TIER} spells it. */
  public String id() {
    return id;
  }

  /** Whether this processor has its instructions and the operating system saves its registers. */
  public boolean isAvailable() {
    if (this == AUTO) {
      return true;
    }
    Natives.load();
    int[] available = new int[1];
    Status.check(Gtr.gtr_cpu_tier_available(code, available));
    return available[0] != 0;
  }

  static CpuTier of(int code) {
    return values()[code];
  }
}
