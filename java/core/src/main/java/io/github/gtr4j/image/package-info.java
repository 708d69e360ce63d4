/**
 * From tokens to pictures: patches to pixels, labels, contact sheets and PNG files. Pure Java
 * without {@code java.awt}, so that it works in any headless JVM, with or without fonts.
 */
package io.github.gtr4j.image;
