package io.github.gtr4j.bench.cpu;

import com.fasterxml.jackson.annotation.JsonProperty;

/**
 * What a batch of images took, as the sides tell it, see {@link ImageServer}.
 *
 * @param seconds of everything
 * @param backboneSeconds of these in encoder and decoder
 * @param headSeconds of these in selection and diffusion head
 * @param librarySeconds of these in calls of libgtr; 0 for peers
 * @param residentPeakBytes most that the process had in memory; ours, until its first batch was
 *     done
 */
record ImageTime(
    @JsonProperty("seconds") double seconds,
    @JsonProperty("backbone_seconds") double backboneSeconds,
    @JsonProperty("head_seconds") double headSeconds,
    @JsonProperty("library_seconds") double librarySeconds,
    @JsonProperty("resident_peak_bytes") long residentPeakBytes) {}
