package io.github.gtr4j.binding;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.gtr4j.NativeLibraryException;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LoadFailureTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "/t/x.so: /t/x.so: failed to map segment from shared object | cachedir",
        "/t/x.so: Operation not permitted | cachedir",
        "/lib/libc.so.6: version `GLIBC_2.99' not found | C library of this system is too old",
        "Error loading shared library ld-linux-x86-64.so.2 | has no glibc",
        "/t/x.so: wrong ELF class: ELFCLASS32 | another processor",
        "something else | something else"
      })
  void saysWhatToDo(String reason, String remedy) {
    UnsatisfiedLinkError failure = new UnsatisfiedLinkError(reason + "\nsecond line");
    NativeLibraryException e = LoadFailure.explain(failure, "libx.so");
    assertTrue(e.getMessage().contains(remedy), e.getMessage());
    assertTrue(e.getMessage().contains("libx.so"), e.getMessage());
    assertEquals(1, e.getMessage().lines().count(), e.getMessage());
    assertSame(failure, e.getCause());
  }

  @ParameterizedTest
  @CsvSource({"failed to map segment from shared object"})
  void looksAtCauses(String reason) {
    UnsatisfiedLinkError failure = new UnsatisfiedLinkError("no x in java.library.path");
    failure.initCause(new UnsatisfiedLinkError(reason));
    assertTrue(LoadFailure.explain(failure, "libx.so").getMessage().contains("noexec"));
  }
}
