package io.github.gtr4j.sampling;

import io.github.gtr4j.device.CpuTier;
import io.github.gtr4j.device.DeviceOptions;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** {@link GoldenSamples} on every tier of the CPU, and on the emulator of the CUDA backend. */
class GoldenSamplesTest {
  private static final int IMAGES = 10;

  /** Minutes of emulation, were it all of them. */
  private static final int EMULATED_IMAGES = 2;

  static List<CpuTier> tiers() {
    return Arrays.stream(CpuTier.values())
        .filter(tier -> tier != CpuTier.AUTO && tier.isAvailable())
        .toList();
  }

  @ParameterizedTest
  @MethodSource("tiers")
  void gtrInFloat(CpuTier tier) throws Exception {
    GoldenSamples.gtrInFloat(DeviceOptions.cpu().withTier(tier), IMAGES);
  }

  @Test
  void marInFloat() throws Exception {
    GoldenSamples.marInFloat(DeviceOptions.cpu(), IMAGES);
  }

  @ParameterizedTest
  @MethodSource("tiers")
  void gtrInBfloat16(CpuTier tier) throws Exception {
    GoldenSamples.gtrInBfloat16(DeviceOptions.cpu().withTier(tier), IMAGES);
  }

  @Test
  void marInBfloat16() throws Exception {
    GoldenSamples.marInBfloat16(DeviceOptions.cpu(), IMAGES);
  }

  @Test
  @Tag("emulator")
  @Timeout(600)
  void gtrInFloatOnCuda() throws Exception {
    GoldenSamples.gtrInFloat(DeviceOptions.cuda(0), EMULATED_IMAGES);
  }

  @Test
  @Tag("emulator")
  @Timeout(600)
  void gtrInBfloat16OnCuda() throws Exception {
    GoldenSamples.gtrInBfloat16(DeviceOptions.cuda(0), EMULATED_IMAGES);
  }
}
