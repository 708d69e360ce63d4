package io.github.gtr4j.binding;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.bytedeco.javacpp.Loader;
import org.junit.jupiter.api.Test;

/** What the rest of the binding relies on in the generated classes. */
class GeneratedBindingTest {
  private final JavaClasses binding =
      new ClassFileImporter()
          .withImportOption(new ImportOption.DoNotIncludeTests())
          .importPackages("io.github.gtr4j");

  @Test
  void nothingGoesThroughJavaCppsLoader() {
    noClasses().should().callMethod(Loader.class, "load").check(binding);
  }

  @Test
  void noStructIsAllocatedByJavaCpp() {
    // Such memory counts against JavaCPP's limit, which a model's weights exceed in a JVM with a
    // small heap.
    for (Class<?> struct :
        new Class<?>[] {
          gtr_tensor.class,
          gtr_chain.class,
          gtr_chain_group.class,
          gtr_segment.class,
          gtr_device_info.class,
          gtr_device_options.class,
          gtr_memory_stats.class,
          gtr_head_shape.class,
          gtr_diffusion_step.class
        }) {
      noClasses().should().callConstructor(struct).check(binding);
      noClasses().should().callConstructor(struct, long.class).check(binding);
    }
  }

  @Test
  void structsHaveTheLayoutOfTheLibrary() {
    Natives.load();
    assertEquals(88, Loader.sizeof(gtr_tensor.class));
    assertEquals(16, Loader.sizeof(gtr_device_options.class));
    assertEquals(12, Loader.sizeof(gtr_chain_group.class));
    assertEquals(20, Loader.sizeof(gtr_segment.class));
  }

  @Test
  void theLibraryHasTheVersionOfTheHeader() {
    Natives.load();
    assertEquals(Gtr.GTR_ABI_VERSION, Gtr.gtr_abi_version());
  }
}
