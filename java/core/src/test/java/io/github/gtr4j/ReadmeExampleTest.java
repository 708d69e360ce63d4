package io.github.gtr4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.gtr4j.checkpoint.CheckpointSource;
import java.io.File;
import java.io.InputStream;
import java.io.StringWriter;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.tools.JavaCompiler;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The README's example compiles and runs as it stands there. */
class ReadmeExampleTest {
  private static final Pattern EXAMPLE = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL);

  @Test
  void exampleCompilesAndDrawsAnImage(@TempDir Path folder) throws Exception {
    Path readme = Path.of(System.getProperty("gtr4j.readme"));
    Matcher matcher = EXAMPLE.matcher(Files.readString(readme));
    assertTrue(matcher.find(), "README.md has a Java block");
    Path source = folder.resolve("Example.java");
    Files.writeString(
        source,
        """
        import io.github.gtr4j.device.*;
        import io.github.gtr4j.kernel.*;
        import io.github.gtr4j.model.*;
        import io.github.gtr4j.sampling.*;
        import io.github.gtr4j.schedule.*;
        import java.nio.file.Path;
        import java.util.Arrays;

        public class Example {
          public static float[] run(Path checkpoint) throws Exception {
            %s
          }
        }
        """
            .formatted(
                matcher.group(1).replace("float[] latents =", "return").replaceFirst("//.*", "")));

    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    StringWriter messages = new StringWriter();
    boolean compiled =
        compiler
            .getTask(
                messages,
                null,
                null,
                List.of("-cp", System.getProperty("java.class.path"), "-d", folder.toString()),
                null,
                compiler
                    .getStandardFileManager(null, null, null)
                    .getJavaFileObjects(new File(source.toString())))
            .call();
    assertTrue(compiled, messages.toString());

    Path checkpoint = folder.resolve("fashion.safetensors");
    try (InputStream in =
        CheckpointSource.class.getResourceAsStream("/golden/fashion_mar.safetensors")) {
      Files.copy(in, checkpoint);
    }
    try (URLClassLoader loader =
        new URLClassLoader(new URL[] {folder.toUri().toURL()}, getClass().getClassLoader())) {
      float[] latents =
          (float[])
              loader.loadClass("Example").getMethod("run", Path.class).invoke(null, checkpoint);
      assertEquals(16 * 8 * 8, latents.length);
      for (float latent : latents) {
        assertTrue(Math.abs(latent) <= 1, "a pixel within -1..1, not " + latent);
      }
    }
  }
}
