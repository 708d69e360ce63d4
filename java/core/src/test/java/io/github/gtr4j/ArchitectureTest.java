package io.github.gtr4j;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.equivalentTo;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import io.github.gtr4j.binding.NativeObject;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * The order of packages: one imports only from those above it, and from none that it must not know.
 */
class ArchitectureTest {
  private static final String ROOT = "io.github.gtr4j";

  /** Lowest first. */
  private static final List<String> ORDER =
      List.of(
          "binding",
          "device",
          "kernel",
          "schedule",
          "checkpoint",
          "model",
          "sampling",
          "image",
          "profile");

  private static JavaClasses product;

  @BeforeAll
  static void read() {
    product =
        new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests())
            .importPackages(ROOT);
  }

  @TestFactory
  List<DynamicTest> packagesImportOnlyFromThoseAboveThem() {
    return ORDER.stream()
        .map(
            name ->
                DynamicTest.dynamicTest(
                    name,
                    () ->
                        noClasses()
                            .that()
                            .resideInAPackage(in(name))
                            .should()
                            .dependOnClassesThat()
                            .resideInAnyPackage(below(name))
                            .allowEmptyShould(true)
                            .check(product)))
        .toList();
  }

  @Test
  void theRootKnowsNoPackage() {
    noClasses()
        .that()
        .resideInAPackage(ROOT)
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(in("*"))
        .check(product);
  }

  @Test
  void plansAndReadersHaveNoNativeCode() {
    noClasses()
        .that()
        .resideInAnyPackage(in("schedule"), in("checkpoint"), in("image"))
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(in("binding"), in("device"), in("kernel"), "org.bytedeco..")
        .check(product);
  }

  @Test
  void schedulesAndModelsDoNotKnowEachOther() {
    noClasses()
        .that()
        .resideInAPackage(in("model"))
        .should()
        .dependOnClassesThat()
        .resideInAPackage(in("schedule"))
        .allowEmptyShould(true)
        .check(product);
  }

  @Test
  void picturesAndProfilesDoNotKnowModels() {
    noClasses()
        .that()
        .resideInAnyPackage(in("image"), in("profile"))
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(in("model"), in("sampling"))
        .check(product);
  }

  @Test
  void samplingKnowsNoFiles() {
    noClasses()
        .that()
        .resideInAPackage(in("sampling"))
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(in("checkpoint"), "java.nio.file..", "java.nio.channels..")
        .check(product);
  }

  @Test
  void onlyTheBoundaryCallsNatives() {
    // Others may extend the base of what is closed by hand, and know nothing else of the boundary.
    noClasses()
        .that()
        .resideOutsideOfPackages(in("binding"), in("device"), in("kernel"))
        .should()
        .dependOnClassesThat(
            resideInAPackage(in("binding")).and(not(equivalentTo(NativeObject.class))))
        .check(product);
  }

  @Test
  void everyPackageIsInTheList() {
    Set<String> found =
        product.stream()
            .map(JavaClass::getPackageName)
            .filter(p -> p.length() > ROOT.length())
            .map(p -> p.substring(ROOT.length() + 1).split("\\.")[0])
            .collect(Collectors.toCollection(TreeSet::new));
    found.removeAll(ORDER);
    assertEquals(Set.of(), found);
  }

  private static String in(String name) {
    return ROOT + "." + name + "..";
  }

  private static String[] below(String name) {
    return ORDER.stream()
        .skip(ORDER.indexOf(name) + 1L)
        .map(ArchitectureTest::in)
        .toArray(String[]::new);
  }
}
