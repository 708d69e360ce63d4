package io.github.gtr4j.model;

import io.github.gtr4j.kernel.Linear;

/** The weights of a block: x += proj(attention(norm1(x))), then x += fc2(gelu(fc1(norm2(x)))). */
record TransformerBlock(Norm norm1, Linear qkv, Linear proj, Norm norm2, Linear fc1, Linear fc2) {}
