package io.github.gtr4j.binding;

import io.github.gtr4j.NativeLibraryException;
import java.util.Locale;

/** The platforms that have native libraries. */
final class NativePlatform {
  /** The one there is, as JavaCPP and the classifier of the jar spell it. */
  static final String NAME = "linux-x86_64";

  private NativePlatform() {}

  /** Throws unless the values of {@code os.name} and {@code os.arch} are supported. */
  static void requireSupported(String system, String architecture) {
    String arch = architecture.toLowerCase(Locale.ROOT);
    boolean supported =
        system.toLowerCase(Locale.ROOT).startsWith("linux")
            && (arch.equals("amd64") || arch.equals("x86_64"));
    if (!supported) {
      throw new NativeLibraryException(
          "gtr4j has no native libraries for "
              + system
              + " on "
              + architecture
              + "; supported is Linux on x86_64 with glibc");
    }
  }
}
