package io.github.gtr4j.modulepath;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.gtr4j.ForkedJvm;
import io.github.gtr4j.device.Device;
import java.io.File;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The library as a module, with its natives in a jar beside it, used from the class path. */
class ModulePathTest {
  private static final String NATIVES = "io/github/gtr4j/natives/linux-x86_64/";

  @TempDir Path folder;

  /** Opens the CPU through the module. */
  public static final class Main {
    public static void main(String[] arguments) {
      try (Device device = Device.cpu()) {
        System.out.print(Device.class.getModule().getName() + " " + device.info().backend());
      }
    }
  }

  @Test
  void theModuleFindsItsNatives() throws Exception {
    Path jar = folder.resolve("gtr4j-natives.jar");
    try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar))) {
      for (String name : List.of("libgtr.so.0", "libjnigtr.so")) {
        out.putNextEntry(new JarEntry(NATIVES + name));
        URI file = getClass().getClassLoader().getResource(NATIVES + name).toURI();
        Files.copy(Path.of(file), out);
        out.closeEntry();
      }
    }
    List<String> modules = new ArrayList<>();
    List<String> classes = new ArrayList<>();
    for (String entry : ForkedJvm.classPath().split(File.pathSeparator)) {
      String name = Path.of(entry).getFileName().toString();
      if (name.equals("classes")
          || name.startsWith("javacpp-")
          || name.startsWith("jackson-core")) {
        modules.add(entry);
      } else if (name.equals("test-classes")) {
        classes.add(entry);
      }
    }
    modules.add(jar.toString());
    List<String> options =
        new ArrayList<>(
            List.of(
                "-p",
                String.join(File.pathSeparator, modules),
                "--add-modules",
                "io.github.gtr4j,gtr4j.natives",
                "-Dorg.bytedeco.javacpp.cachedir=" + folder.resolve("cache")));
    if (Runtime.version().feature() >= 22) {
      options.add("--enable-native-access=io.github.gtr4j,org.bytedeco.javacpp");
    }
    ForkedJvm.Result result =
        ForkedJvm.run(String.join(File.pathSeparator, classes), Main.class, options);
    assertEquals("io.github.gtr4j CPU", result.out(), result.toString());
    assertEquals("", result.err());
    assertEquals(0, result.exitCode());
  }
}
