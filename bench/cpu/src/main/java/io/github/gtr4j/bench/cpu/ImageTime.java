package io.github.gtr4j.bench.cpu;

import com.fasterxml.jackson.annotation.JsonProperty;

/**
 * What a batch of images took, as the sides tell it, see {@link ImageServer}.
 *
 * @param seconds of everything
 * @param backboneSeconds of these in encoder and decoder
 * @param headSeconds of these in selection and diffusion head
 * @param residentPeakBytes most that the process had in memory until now
 */
record ImageTime(
    @JsonProperty("seconds") double seconds,
    @JsonProperty("backbone_seconds") double backboneSeconds,
    @JsonProperty("head_seconds") double headSeconds,
    @JsonProperty("resident_peak_bytes") long residentPeakBytes) {}
