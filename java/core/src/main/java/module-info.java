/** gtr4j: masked-autoregressive image generation, fast by Generation-then-Reconstruction. */
module io.github.gtr4j {
  requires transitive org.bytedeco.javacpp;
  requires com.fasterxml.jackson.core;

  exports io.github.gtr4j;
  exports io.github.gtr4j.checkpoint;
  exports io.github.gtr4j.device;
  exports io.github.gtr4j.image;
  exports io.github.gtr4j.kernel;
  exports io.github.gtr4j.model;
  exports io.github.gtr4j.profile;
  exports io.github.gtr4j.sampling;
  exports io.github.gtr4j.schedule;
}
