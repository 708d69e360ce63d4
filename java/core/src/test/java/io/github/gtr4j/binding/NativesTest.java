package io.github.gtr4j.binding;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.gtr4j.ForkedJvm;
import io.github.gtr4j.NativeLibraryException;
import io.github.gtr4j.device.Backend;
import io.github.gtr4j.device.BackendReport;
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

  /** Says what libgtr found of the CUDA backend. */
  public static final class LookForCuda {
    public static void main(String[] arguments) {
      for (BackendReport report : Device.list()) {
        if (report.backend() == Backend.CUDA) {
          System.out.println(report.devices() + " " + report.detail());
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
    List<NativesCache.Library> libraries = new ArrayList<>();
    for (String name : List.of(Natives.LIBRARY, Natives.JNI_LIBRARY)) {
      libraries.add(new NativesCache.Library(name, natives().resolve(name).toUri().toURL()));
    }
    Path unpacked = NativesCache.unpack(libraries, cache);
    Files.writeString(unpacked.resolve(Natives.LIBRARY), "damaged");
    assertEquals(unpacked, NativesCache.unpack(libraries, cache));
    assertEquals(
        -1L, Files.mismatch(natives().resolve(Natives.LIBRARY), unpacked.resolve(Natives.LIBRARY)));
  }

  @Test
  void withoutTheGpuJarItsClassifierIsNamed() throws Exception {
    ForkedJvm.Result result =
        ForkedJvm.run(
            classPathWithNativesInJar(),
            LookForCuda.class,
            List.of("-Dorg.bytedeco.javacpp.cachedir=" + folder.resolve("cache")));
    assertEquals(
        "0 libgtr_cuda.so.0 is not beside libgtr; the classifier linux-x86_64-gpu brings it",
        result.out().strip(),
        result.toString());
  }

  @Test
  void theGpuJarIsUnpackedBesideLibgtr() throws Exception {
    Path source = folder.resolve("other.c");
    Files.writeString(source, "int nothing;");
    Path other = folder.resolve(Natives.CUDA_LIBRARY);
    compile(source, other);
    Path cache = folder.resolve("cache");
    // That libgtr does not take it for its backend shows that this file was found.
    ForkedJvm.Result result =
        ForkedJvm.run(
            classPathWithNativesInJar() + File.pathSeparator + pack("gpu.jar", other),
            LookForCuda.class,
            List.of("-Dorg.bytedeco.javacpp.cachedir=" + cache));
    assertTrue(result.out().startsWith("0 " + cache), result.toString());
    assertTrue(result.out().contains(Natives.CUDA_LIBRARY + " is no backend of gtr4j"));
    assertEquals("", result.err());
  }

  @Test
  void theGpuLibraryLoadsAnywhereAndSaysWhatIsMissing() throws Exception {
    Path cuda = natives().resolve(Natives.CUDA_LIBRARY);
    Assumptions.assumeTrue(Files.exists(cuda), "there was no nvcc to build it");
    ForkedJvm.Result result =
        ForkedJvm.run(
            classPathWithNativesInJar() + File.pathSeparator + pack("gpu.jar", cuda),
            LookForCuda.class,
            List.of("-Dorg.bytedeco.javacpp.cachedir=" + folder.resolve("cache"), "-Xmx64m"));
    assertTrue(
        result.out().startsWith("0 no cuda device: ") || result.out().contains(" cuda device"),
        result.toString());
    assertEquals("", result.err());
  }

  private String classPathWithNativesInJar() throws IOException {
    Path jar =
        pack(
            "packed.jar",
            natives().resolve(Natives.LIBRARY),
            natives().resolve(Natives.JNI_LIBRARY));
    return ForkedJvm.classPathWithout(NATIVES) + File.pathSeparator + jar;
  }

  /** A jar of native libraries, as the build packages them. */
  private Path pack(String name, Path... libraries) throws IOException {
    Path jar = folder.resolve(name);
    try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar))) {
      for (Path library : libraries) {
        String resource =
            "io/github/gtr4j/natives/" + NativePlatform.NAME + "/" + library.getFileName();
        out.putNextEntry(new JarEntry(resource));
        Files.copy(library, out);
        out.closeEntry();
      }
    }
    return jar;
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
