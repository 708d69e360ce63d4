package io.github.gtr4j.binding;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.gtr4j.ForkedJvm;
import io.github.gtr4j.NativeLibraryException;
import io.github.gtr4j.device.Device;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Where the native libraries come from and what is said when they cannot be loaded; each in a JVM
 * of its own.
 */
class NativesTest {
  private static final String NATIVES = File.separator + "target" + File.separator + "natives";

  @TempDir Path folder;

  /** Opens the CPU, or prints why it cannot. */
  public static final class OpenCpu {
    public static void main(String[] arguments) {
      try (Device device = Device.cpu()) {
        System.out.println("opened " + device.info().backend());
      } catch (NativeLibraryException e) {
        System.out.println(e.getMessage());
        try {
          Device.cpu().close();
        } catch (NativeLibraryException again) {
          System.exit(again.getMessage().equals(e.getMessage()) ? 3 : 4);
        }
      }
    }
  }

  private static Path natives() {
    return NativesCache.folder();
  }

  private ForkedJvm.Result open(String... options) throws Exception {
    return ForkedJvm.run(OpenCpu.class, List.of(options));
  }

  private static void assertRefused(ForkedJvm.Result result, String... parts) {
    assertEquals(3, result.exitCode(), result.toString());
    assertEquals("", result.err());
    assertEquals(1, result.out().lines().count(), result.out());
    for (String part : parts) {
      assertTrue(result.out().contains(part), result.out());
    }
  }

  private static void assertOpened(ForkedJvm.Result result) {
    assertEquals("opened CPU", result.out().strip(), result.toString());
    assertEquals("", result.err());
    assertEquals(0, result.exitCode());
  }

  @Test
  void loadsFromTheClassPathAndPrintsNothing() throws Exception {
    assertOpened(open());
  }

  @Test
  void jniChecksFindNothing() throws Exception {
    assertOpened(open("-Xcheck:jni"));
  }

  @Test
  void theOverrideFolderIsUsed() throws Exception {
    copy(natives(), folder);
    ForkedJvm.Result result =
        ForkedJvm.run(
            ForkedJvm.classPathWithout(NATIVES),
            OpenCpu.class,
            List.of("-D" + Natives.FOLDER_PROPERTY + "=" + folder));
    assertOpened(result);
  }

  @Test
  void anOverrideFolderWithoutLibrariesIsRefused() throws Exception {
    assertRefused(
        open("-D" + Natives.FOLDER_PROPERTY + "=" + folder),
        Natives.FOLDER_PROPERTY,
        folder.toString(),
        "no " + Natives.LIBRARY);
  }

  @Test
  void anOverrideFolderThatDoesNotExistIsRefused() throws Exception {
    assertRefused(
        open("-D" + Natives.FOLDER_PROPERTY + "=" + folder.resolve("none")), "none", "no lib");
  }

  @Test
  void anotherAbiVersionIsRefusedWithBothVersions() throws Exception {
    copy(natives(), folder);
    Path source = folder.resolve("other.c");
    Files.writeString(
        source,
        """
        #include <stdint.h>
        uint32_t gtr_abi_version(void) { return 4242; }
        """);
    compile(source, folder.resolve(Natives.LIBRARY));
    assertRefused(
        open("-D" + Natives.FOLDER_PROPERTY + "=" + folder),
        "ABI version 4242",
        "need version " + Gtr.GTR_ABI_VERSION,
        "same gtr4j version");
  }

  @Test
  void aLibraryForAnotherProcessorIsRefused() throws Exception {
    copy(natives(), folder);
    byte[] elf = Files.readAllBytes(folder.resolve(Natives.LIBRARY));
    elf[18] = (byte) 183; // e_machine: AArch64
    Files.write(folder.resolve(Natives.LIBRARY), elf);
    assertRefused(
        open("-D" + Natives.FOLDER_PROPERTY + "=" + folder),
        "cannot load",
        Natives.LIBRARY,
        "another processor");
  }

  @Test
  void missingNativesAreRefusedWithTheArtifact() throws Exception {
    ForkedJvm.Result result =
        ForkedJvm.run(ForkedJvm.classPathWithout(NATIVES), OpenCpu.class, List.of());
    assertRefused(result, "not on the class path", "classifier linux-x86_64");
  }

  @Test
  void javaCppsOwnLibraryIsNotNeeded() throws Exception {
    // The JNI library holds a copy of it, so that one that cannot be unpacked does no harm.
    assertOpened(
        ForkedJvm.run(
            ForkedJvm.classPathWithout("-linux-x86_64.jar"),
            OpenCpu.class,
            List.of("-Dorg.bytedeco.javacpp.cachedir=" + folder)));
  }

  @Test
  void aFolderWithoutExecutionIsNamedAsTheCause() throws Exception {
    String classPath = classPathWithNativesInJar();
    Path mountPoint = Files.createDirectory(folder.resolve("noexec"));
    // In a mount namespace of its own, which not every machine allows.
    String mount = "mount -t tmpfs -o noexec tmpfs \"$0\"";
    List<String> inNamespace = List.of("unshare", "-rm", "sh", "-c");
    Assumptions.assumeTrue(
        succeeds(concat(inNamespace, List.of(mount, mountPoint.toString()))),
        "mount namespaces are not allowed here");
    ForkedJvm.Result result =
        ForkedJvm.run(
            concat(inNamespace, List.of(mount + " && exec \"$@\"", mountPoint.toString())),
            classPath,
            OpenCpu.class,
            List.of("-Dorg.bytedeco.javacpp.cachedir=" + mountPoint));
    assertRefused(result, "noexec", "cachedir");
  }

  @Test
  void manyJvmsUnpackAJarAtOnce() throws Exception {
    String classPath = classPathWithNativesInJar();
    Path cache = folder.resolve("cache");
    ExecutorService pool = Executors.newFixedThreadPool(4);
    try {
      Callable<ForkedJvm.Result> one =
          () ->
              ForkedJvm.run(
                  classPath,
                  OpenCpu.class,
                  List.of("-Dorg.bytedeco.javacpp.cachedir=" + cache, "-Xmx64m"));
      List<Future<ForkedJvm.Result>> results = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        results.add(pool.submit(one));
      }
      for (Future<ForkedJvm.Result> result : results) {
        assertOpened(result.get());
      }
    } finally {
      pool.shutdown();
    }
    try (var files = Files.walk(cache)) {
      assertEquals(List.of(), files.filter(f -> f.toString().endsWith(".tmp")).toList());
    }
  }

  @Test
  void aDamagedFileInTheCacheIsReplaced() throws Exception {
    Path cache = folder.resolve("cache");
    var library = natives().resolve(Natives.LIBRARY).toUri().toURL();
    var jni = natives().resolve(Natives.JNI_LIBRARY).toUri().toURL();
    Path unpacked = NativesCache.unpack(library, jni, cache);
    Files.writeString(unpacked.resolve(Natives.LIBRARY), "damaged");
    assertEquals(unpacked, NativesCache.unpack(library, jni, cache));
    assertEquals(
        -1L, Files.mismatch(natives().resolve(Natives.LIBRARY), unpacked.resolve(Natives.LIBRARY)));
  }

  private String classPathWithNativesInJar() throws IOException {
    Path jar = folder.resolve("packed.jar");
    try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar))) {
      for (String name : List.of(Natives.LIBRARY, Natives.JNI_LIBRARY)) {
        out.putNextEntry(
            new JarEntry("io/github/gtr4j/natives/" + NativePlatform.NAME + "/" + name));
        Files.copy(natives().resolve(name), out);
        out.closeEntry();
      }
    }
    return ForkedJvm.classPathWithout(NATIVES) + File.pathSeparator + jar;
  }

  private static boolean succeeds(List<String> command) throws InterruptedException {
    try {
      return new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start()
              .waitFor()
          == 0;
    } catch (IOException e) {
      return false; // there is no such command
    }
  }

  private static List<String> concat(List<String> first, List<String> second) {
    List<String> all = new ArrayList<>(first);
    all.addAll(second);
    return all;
  }

  private static void copy(Path from, Path to) throws IOException {
    for (String name : List.of(Natives.LIBRARY, Natives.JNI_LIBRARY)) {
      Files.copy(from.resolve(name), to.resolve(name));
    }
  }

  private static void compile(Path source, Path library) throws Exception {
    Process gcc =
        new ProcessBuilder(
                "c++",
                "-x",
                "c",
                "-shared",
                "-fPIC",
                "-Wl,-soname," + library.getFileName(),
                "-o",
                library.toString(),
                source.toString())
            .redirectErrorStream(true)
            .start();
    String output = new String(gcc.getInputStream().readAllBytes());
    assertTrue(gcc.waitFor(60, TimeUnit.SECONDS), output);
    assertEquals(0, gcc.exitValue(), output);
  }
}
