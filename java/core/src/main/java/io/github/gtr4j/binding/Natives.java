package io.github.gtr4j.binding;

import io.github.gtr4j.NativeLibraryException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.bytedeco.javacpp.Loader;

/**
 * Loads the native libraries, once per JVM. They come from the folder named by the system property
 * {@value #FOLDER_PROPERTY} if it is set, else from the class path: a folder there is used as it
 * is, a jar is unpacked into a cache by {@link NativesCache}. A failure is reported with what to
 * do, again at every later call.
 */
public final class Natives {
  /** System property: the folder that holds the native libraries. */
  public static final String FOLDER_PROPERTY = "gtr4j.library.path";

  /** The C ABI and the CPU backend; its name carries the version of its interface. */
  static final String LIBRARY = "libgtr.so.0";

  /** The JNI side of {@link Gtr}. */
  static final String JNI_LIBRARY = "libjnigtr.so";

  /** The CUDA backend, which libgtr loads from the folder that it lies in itself; may be absent. */
  static final String CUDA_LIBRARY = "libgtr_cuda.so.0";

  private static volatile boolean loaded;
  private static boolean loading;
  private static NativeLibraryException failure;

  private Natives() {}

  /**
   * Loads the libraries if that was not done before.
   *
   * @throws NativeLibraryException if they cannot be loaded
   */
  public static void load() {
    // The build generates code from the binding's classes, before there is anything to load.
    if (!loaded && Loader.isLoadLibraries()) {
      loadOnce();
    }
  }

  private static synchronized void loadOnce() {
    // Asking the library for its version comes here again, in the thread that loads it.
    if (loaded || loading) {
      return;
    }
    if (failure == null) {
      loading = true;
      try {
        NativePlatform.requireSupported(
            System.getProperty("os.name", ""), System.getProperty("os.arch", ""));
        Path folder = folder();
        loadFrom(folder);
        requireAbi(folder, Gtr.gtr_abi_version());
        loaded = true;
        return;
      } catch (NativeLibraryException e) {
        failure = e;
      } finally {
        loading = false;
      }
    }
    throw new NativeLibraryException(failure.getMessage(), failure);
  }

  private static Path folder() {
    String override = System.getProperty(FOLDER_PROPERTY);
    if (override == null) {
      return NativesCache.folder();
    }
    Path folder = Path.of(override).toAbsolutePath();
    for (String name : new String[] {LIBRARY, JNI_LIBRARY}) {
      if (!Files.isRegularFile(folder.resolve(name))) {
        throw new NativeLibraryException(
            "-D"
                + FOLDER_PROPERTY
                + "="
                + override
                + ": there is no "
                + name
                + " in this folder; it must hold "
                + LIBRARY
                + " and "
                + JNI_LIBRARY);
      }
    }
    return folder;
  }

  private static void loadFrom(Path folder) {
    for (String name : new String[] {LIBRARY, JNI_LIBRARY}) {
      Path file = folder.resolve(name);
      try {
        System.load(file.toRealPath().toString());
      } catch (UnsatisfiedLinkError | IOException e) {
        throw LoadFailure.explain(e, file.toString());
      }
    }
  }

  private static void requireAbi(Path folder, int found) {
    if (found != Gtr.GTR_ABI_VERSION) {
      throw new NativeLibraryException(
          folder.resolve(LIBRARY)
              + " has ABI version "
              + Integer.toUnsignedString(found)
              + ", but these Java classes need version "
              + Gtr.GTR_ABI_VERSION
              + "; use jars and native libraries of the same gtr4j version");
    }
  }
}
