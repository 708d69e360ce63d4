/**
 * The operations, one class each. Every call names its stream and its tensors; results go into
 * tensors of the caller, and scratch memory is the caller's too, of a size that is asked for
 * before. Shapes and types are checked here, so that a mistake is an exception with the operation's
 * and the argument's name; overlapping memory and values inside arrays are checked on the native
 * side with the same result. A call allocates nothing.
 */
package io.github.gtr4j.kernel;
