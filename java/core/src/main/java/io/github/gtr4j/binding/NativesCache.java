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
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.bytedeco.javacpp.Loader;

/**
 * Finds the native libraries on the class path and unpacks them if they are in jars. The folder in
 * the cache is named after their contents and each file is moved there in one step, so JVMs that
 * start at once do not disturb each other, and versions do not mix. The CUDA backend's library,
 * which is in a jar of its own and may be absent, goes beside the others, where libgtr looks for
 * it.
 */
final class NativesCache {
  private static final String RESOURCES = "io/github/gtr4j/natives/" + NativePlatform.NAME + "/";

  /** A library and where it is on the class path. */
  record Library(String name, URL url) {}

  private NativesCache() {}

  /** A folder that holds all libraries. */
  static Path folder() {
    List<Library> libraries = new ArrayList<>();
    libraries.add(required(Natives.LIBRARY));
    libraries.add(required(Natives.JNI_LIBRARY));
    URL cuda = find(Natives.CUDA_LIBRARY);
    if (cuda != null) {
      libraries.add(new Library(Natives.CUDA_LIBRARY, cuda));
    }
    try {
      Path folder = commonFolder(libraries);
      return folder != null ? folder : unpack(libraries, Loader.getCacheDir().toPath());
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

  private static Library required(String name) {
    URL url = find(name);
    if (url == null) {
      throw new NativeLibraryException(
          name
              + " is not on the class path; add io.github.gtr4j:gtr4j with the classifier "
              + NativePlatform.NAME);
    }
    return new Library(name, url);
  }

  private static URL find(String name) {
    // Through the class loader: on the module path the natives are modules of their own, into
    // which Class.getResource does not look.
    return Natives.class.getClassLoader().getResource(RESOURCES + name);
  }

  /** The folder in which all libraries lie as files, or null. */
  private static Path commonFolder(List<Library> libraries) throws URISyntaxException {
    Path common = null;
    for (Library library : libraries) {
      if (!library.url.getProtocol().equals("file")) {
        return null;
      }
      Path folder = Path.of(library.url.toURI()).getParent();
      if (common != null && !common.equals(folder)) {
        return null;
      }
      common = folder;
    }
    return common;
  }

  /** Read as streams, since the CUDA library may be larger than the heap. */
  static Path unpack(List<Library> libraries, Path cache) throws IOException {
    MessageDigest digest = sha256();
    List<Long> sizes = new ArrayList<>();
    byte[] block = new byte[1 << 16];
    for (Library library : libraries) {
      long size = 0;
      try (InputStream in = library.url.openStream()) {
        for (int read = in.read(block); read >= 0; read = in.read(block)) {
          digest.update(block, 0, read);
          size += read;
        }
      }
      sizes.add(size);
    }
    Path folder = cache.resolve("gtr4j-" + HexFormat.of().formatHex(digest.digest(), 0, 8));
    Files.createDirectories(folder);
    for (int i = 0; i < libraries.size(); i++) {
      write(libraries.get(i), sizes.get(i), folder);
    }
    return folder;
  }

  private static void write(Library library, long size, Path folder) throws IOException {
    Path file = folder.resolve(library.name);
    if (Files.isRegularFile(file) && Files.size(file) == size) {
      return;
    }
    Path temporary = Files.createTempFile(folder, "unpacking", ".tmp");
    try (InputStream in = library.url.openStream()) {
      Files.copy(in, temporary, StandardCopyOption.REPLACE_EXISTING);
      Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
    } finally {
      Files.deleteIfExists(temporary);
    }
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
