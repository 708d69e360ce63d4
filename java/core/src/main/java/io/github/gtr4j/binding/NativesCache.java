package io.github.gtr4j.binding;

import io.github.gtr4j.NativeLibraryException;
import java.io.IOException;
import java.io.InputStream;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import org.bytedeco.javacpp.Loader;

/**
 * Finds the native libraries on the class path and unpacks them if they are in a jar. The folder in
 * the cache is named after their contents and each file is moved there in one step, so JVMs that
 * start at once do not disturb each other, and versions do not mix.
 */
final class NativesCache {
  private static final String RESOURCES = "io/github/gtr4j/natives/" + NativePlatform.NAME + "/";

  private NativesCache() {}

  /** A folder that holds both libraries. */
  static Path folder() {
    URL library = resource(Natives.LIBRARY);
    URL jniLibrary = resource(Natives.JNI_LIBRARY);
    try {
      if (library.getProtocol().equals("file")) {
        return Path.of(library.toURI()).getParent();
      }
      return unpack(library, jniLibrary, Loader.getCacheDir().toPath());
    } catch (IOException | URISyntaxException e) {
      throw new NativeLibraryException(
          "cannot unpack the native libraries: "
              + e.getMessage()
              + "; set -Dorg.bytedeco.javacpp.cachedir to a folder that can be written, or -D"
              + Natives.FOLDER_PROPERTY
              + " to one that holds them",
          e);
    }
  }

  private static URL resource(String name) {
    // Through the class loader: on the module path the natives are a module of their own, into
    // which
    // Class.getResource does not look.
    URL url = Natives.class.getClassLoader().getResource(RESOURCES + name);
    if (url == null) {
      throw new NativeLibraryException(
          name
              + " is not on the class path; add io.github.gtr4j:gtr4j with the classifier "
              + NativePlatform.NAME);
    }
    return url;
  }

  static Path unpack(URL library, URL jniLibrary, Path cache) throws IOException {
    byte[] first = bytes(library);
    byte[] second = bytes(jniLibrary);
    Path folder = cache.resolve("gtr4j-" + digest(first, second));
    Files.createDirectories(folder);
    write(folder.resolve(Natives.LIBRARY), first);
    write(folder.resolve(Natives.JNI_LIBRARY), second);
    return folder;
  }

  private static void write(Path file, byte[] contents) throws IOException {
    if (Files.isRegularFile(file) && Files.size(file) == contents.length) {
      return;
    }
    Path temporary = Files.createTempFile(file.getParent(), "unpacking", ".tmp");
    try {
      Files.write(temporary, contents);
      Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
    } finally {
      Files.deleteIfExists(temporary);
    }
  }

  private static byte[] bytes(URL url) throws IOException {
    try (InputStream in = url.openStream()) {
      return in.readAllBytes();
    }
  }

  private static String digest(byte[]... contents) {
    try {
      MessageDigest sha = MessageDigest.getInstance("SHA-256");
      for (byte[] content : contents) {
        sha.update(content);
      }
      return HexFormat.of().formatHex(sha.digest(), 0, 8);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
