/** Errors and small types that every package of gtr4j shares. */
package io.github.gtr4j;
