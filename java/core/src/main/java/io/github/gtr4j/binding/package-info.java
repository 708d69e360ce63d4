/**
 * The boundary to native code: JavaCPP configuration, generated natives, the loader, and the base
 * classes of what is freed by hand. Internal; the module does not export it.
 */
package io.github.gtr4j.binding;
