package io.github.gtr4j.model;

import io.github.gtr4j.device.DType;
import io.github.gtr4j.device.DeviceBuffer;
import io.github.gtr4j.device.Tensor;
import java.nio.IntBuffer;

/**
 * The index arrays of a batch: which row of what goes where. They are filled on the host and copied
 * to the device as one. "Packed" rows follow each other without gaps; "spread" rows are padded to
 * the longest sequence, as attention needs them; what pads is row 0 and is never looked at.
 */
final class BatchIndices {
  /** Places of all sequences that one buffer has room for. */
  static final int MAX_PLACES = 1 << 24;

  private static final int ALIGNMENT = 16;

  /** An array within the buffer. */
  enum Section {
    /** Encoder input: row of the projected tokens, or −1 − class. */
    ENCODER_SOURCE,
    /** Encoder input: place in its sequence. */
    ENCODER_PLACE,
    /** Packed row of each spread one. */
    ENCODER_SPREAD,
    /** Spread row of each packed one. */
    ENCODER_PACK,
    /** Decoder input: packed encoder row, or −1 for the mask token. */
    DECODER_SOURCE,
    /** Decoder input: place in its sequence. */
    DECODER_PLACE,
    /** Decoder row of each wanted one. */
    WANTED_ROW,
    /** Decoder row of each spread wanted one. */
    WANTED_SPREAD,
    /** Spread row of each wanted one. */
    WANTED_PACK,
    /** Cell of each wanted row. */
    WANTED_CELL,
    /** 0, 1, 2, … */
    IDENTITY,
    /** Encoder places of each sequence. */
    ENCODER_LENGTH,
    /** Wanted rows of each sequence. */
    WANTED_LENGTH;

    /** Elements that the section has room for. */
    private int capacity(int sequences, int places, int rows) {
      int elements =
          switch (this) {
            case ENCODER_LENGTH, WANTED_LENGTH -> sequences;
            case WANTED_ROW, WANTED_PACK, WANTED_CELL, IDENTITY -> rows;
            default -> sequences * places;
          };
      return (elements + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    }
  }

  private final MarConfiguration configuration;
  private final int places;
  private final int[] starts = new int[Section.values().length];
  private final int capacity;
  private final IntBuffer host;
  private final Tensor hostTensor;
  private final Tensor deviceTensor;

  /**
   * Index arrays in memory of their own on the host and part of a workspace's on the device.
   *
   * @param host at least {@link #capacity} integers
   */
  BatchIndices(
      MarConfiguration configuration,
      WorkspaceLayout layout,
      DeviceBuffer host,
      DeviceBuffer workspace) {
    this.configuration = configuration;
    this.places = layout.places();
    int end = 0;
    for (Section section : Section.values()) {
      starts[section.ordinal()] = end;
      end += section.capacity(layout.sequences(), layout.places(), layout.rows());
    }
    this.capacity = end;
    this.host = host.asByteBuffer().asIntBuffer();
    this.hostTensor = host.tensor(DType.I32, capacity);
    this.deviceTensor = Tensor.of(workspace, layout.indices(), DType.I32, capacity);
  }

  /** Integers of all sections together. */
  static int capacity(int sequences, int places, int rows) {
    int capacity = 0;
    for (Section section : Section.values()) {
      capacity += section.capacity(sequences, places, rows);
    }
    return capacity;
  }

  Tensor hostTensor() {
    return hostTensor;
  }

  Tensor deviceTensor() {
    return deviceTensor;
  }

  /** The first elements of a section on the device. */
  Tensor tensor(Section section, int elements) {
    return deviceTensor.rows(starts[section.ordinal()], elements);
  }

  private void put(Section section, int index, int value) {
    host.put(starts[section.ordinal()] + index, value);
  }

  /** Fills the host's arrays. */
  void fill(ConditionBatch batch, BatchShape shape) {
    int encoderRow = 0;
    for (int s = 0; s < shape.sequences(); s++) {
      fillEncoder(batch, shape, s, encoderRow);
      fillDecoder(batch, s, encoderRow);
      fillWanted(batch, shape, s);
      encoderRow += configuration.buffer() + batch.knownCount(s);
    }
  }

  private void fillEncoder(ConditionBatch batch, BatchShape shape, int s, int firstRow) {
    int buffer = configuration.buffer();
    int known = batch.knownCount(s);
    int label = batch.label(s) < 0 ? configuration.classes() : batch.label(s);
    int row = firstRow;
    for (int place = 0; place < buffer; place++, row++) {
      put(Section.ENCODER_SOURCE, row, -1 - label);
      put(Section.ENCODER_PLACE, row, place);
    }
    int firstToken = batch.slot(s) * configuration.tokens();
    for (int i = 0; i < known; i++, row++) {
      int cell = batch.known(batch.knownBegin(s) + i);
      put(Section.ENCODER_SOURCE, row, firstToken + cell);
      put(Section.ENCODER_PLACE, row, buffer + cell);
    }
    int length = buffer + known;
    put(Section.ENCODER_LENGTH, s, length);
    int firstSpread = s * shape.encoderLength();
    for (int i = 0; i < shape.encoderLength(); i++) {
      put(Section.ENCODER_SPREAD, firstSpread + i, i < length ? firstRow + i : 0);
    }
    for (int i = 0; i < length; i++) {
      put(Section.ENCODER_PACK, firstRow + i, firstSpread + i);
    }
  }

  private void fillDecoder(ConditionBatch batch, int s, int firstEncoderRow) {
    int buffer = configuration.buffer();
    int first = s * places;
    for (int place = 0; place < places; place++) {
      put(Section.DECODER_SOURCE, first + place, place < buffer ? firstEncoderRow + place : -1);
      put(Section.DECODER_PLACE, first + place, place);
    }
    int row = firstEncoderRow + buffer;
    for (int i = 0; i < batch.knownCount(s); i++) {
      int cell = batch.known(batch.knownBegin(s) + i);
      put(Section.DECODER_SOURCE, first + buffer + cell, row + i);
    }
  }

  private void fillWanted(ConditionBatch batch, BatchShape shape, int s) {
    int begin = batch.wantedBegin(s);
    int count = batch.wantedCount(s);
    int firstSpread = s * shape.wantedLength();
    for (int i = 0; i < count; i++) {
      int cell = batch.wanted(begin + i);
      int decoderRow = s * places + configuration.buffer() + cell;
      put(Section.WANTED_ROW, begin + i, decoderRow);
      put(Section.WANTED_CELL, begin + i, cell);
      put(Section.IDENTITY, begin + i, begin + i);
      put(Section.WANTED_PACK, begin + i, firstSpread + i);
      put(Section.WANTED_SPREAD, firstSpread + i, decoderRow);
    }
    for (int i = count; i < shape.wantedLength(); i++) {
      put(Section.WANTED_SPREAD, firstSpread + i, 0);
    }
    put(Section.WANTED_LENGTH, s, count);
  }
}
