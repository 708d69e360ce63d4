package io.github.gtr4j.binding;

import org.bytedeco.javacpp.annotation.NoException;
import org.bytedeco.javacpp.annotation.Platform;
import org.bytedeco.javacpp.annotation.Properties;
import org.bytedeco.javacpp.tools.Info;
import org.bytedeco.javacpp.tools.InfoMap;
import org.bytedeco.javacpp.tools.InfoMapper;

/**
 * Tells JavaCPP how to turn {@code gtr/gtr.h} into {@link Gtr}. Only the build uses it, and {@code
 * Gtr} extends it.
 */
@Properties(
    value = @Platform(include = "gtr/gtr.h", compiler = "cpp17", library = "jnigtr"),
    target = "io.github.gtr4j.binding",
    global = "io.github.gtr4j.binding.Gtr")
@NoException // functions of a C ABI do not throw: no handler around each call
public class GtrConfiguration implements InfoMapper {
  /** Called by JavaCPP. */
  public GtrConfiguration() {}

  @Override
  public void map(InfoMap infoMap) {
    infoMap.put(new Info("GTR_API").cppText("#define GTR_API").cppTypes().annotations());
  }
}
