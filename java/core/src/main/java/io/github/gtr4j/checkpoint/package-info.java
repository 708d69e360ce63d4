/**
 * Named arrays in files: reading and writing the safetensors format. No native code, and no
 * knowledge of what the arrays mean.
 *
 * <p>Files are read through a channel in windows, not mapped: a mapping ends at 2 GiB, and a file
 * that shrinks under one kills the process.
 */
package io.github.gtr4j.checkpoint;
