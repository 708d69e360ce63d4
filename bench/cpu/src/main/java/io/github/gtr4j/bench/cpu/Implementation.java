package io.github.gtr4j.bench.cpu;

/** Who computes. */
public enum Implementation {
  /** Ours. */
  GTR4J("gtr4j"),
  /** libtorch, through JavaCPP's preset. */
  LIBTORCH("libtorch"),
  /** PyTorch in Python. */
  PYTORCH("PyTorch");

  private final String label;

  Implementation(String label) {
    this.label = label;
  }

  /** As reports name it. */
  public String label() {
    return label;
  }
}
