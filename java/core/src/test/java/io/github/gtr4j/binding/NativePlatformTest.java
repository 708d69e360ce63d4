package io.github.gtr4j.binding;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.gtr4j.NativeLibraryException;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NativePlatformTest {
  @ParameterizedTest
  @CsvSource({"Linux, amd64", "Linux, x86_64", "linux, AMD64"})
  void supported(String system, String architecture) {
    assertDoesNotThrow(() -> NativePlatform.requireSupported(system, architecture));
  }

  @ParameterizedTest
  @CsvSource({"Linux, aarch64", "Mac OS X, aarch64", "Windows 11, amd64", "Linux, x86", "'', ''"})
  void othersGetOneSentenceThatSaysWhatIsSupported(String system, String architecture) {
    NativeLibraryException e =
        assertThrows(
            NativeLibraryException.class,
            () -> NativePlatform.requireSupported(system, architecture));
    assertTrue(e.getMessage().contains("supported is Linux on x86_64"), e.getMessage());
    assertTrue(e.getMessage().contains(system + " on " + architecture), e.getMessage());
    assertEquals(1, e.getMessage().lines().count());
  }
}
