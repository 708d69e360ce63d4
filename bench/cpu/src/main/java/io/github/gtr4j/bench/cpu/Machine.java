package io.github.gtr4j.bench.cpu;

import io.github.gtr4j.device.Device;
import io.github.gtr4j.device.DeviceInfo;
import io.github.gtr4j.device.DeviceOptions;
import java.io.IOException;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.concurrent.TimeUnit;

/**
 * On what, with what and when was measured.
 *
 * @param processor its name
 * @param cores that the JVM may use
 * @param tier instruction set of our kernels
 * @param threads that work on a call, of both sides
 * @param jvm name and version
 * @param peer name and version of whom it is measured beside
 * @param date of the run, UTC
 * @param commit of the working tree, "unknown" outside of one
 */
record Machine(
    String processor,
    int cores,
    String tier,
    int threads,
    String jvm,
    String peer,
    String date,
    String commit) {

  static Machine describe(int threads, String peer) {
    try (Device device = Device.open(DeviceOptions.cpu().withThreads(threads))) {
      DeviceInfo info = device.info();
      return new Machine(
          info.name(),
          Runtime.getRuntime().availableProcessors(),
          info.tier().id(),
          info.threads(),
          System.getProperty("java.vm.name") + " " + Runtime.version(),
          peer,
          LocalDate.now(ZoneOffset.UTC).toString(),
          described());
    }
  }

  private static String described() {
    try {
      Process git =
          new ProcessBuilder("git", "describe", "--always", "--dirty")
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start();
      String text = new String(git.getInputStream().readAllBytes()).strip();
      return git.waitFor(10, TimeUnit.SECONDS) && git.exitValue() == 0 ? text : "unknown";
    } catch (IOException e) {
      return "unknown";
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return "unknown";
    }
  }
}
