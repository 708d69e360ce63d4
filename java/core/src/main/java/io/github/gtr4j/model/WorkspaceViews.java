package io.github.gtr4j.model;

import io.github.gtr4j.device.DType;
import io.github.gtr4j.device.DeviceBuffer;
import io.github.gtr4j.device.Tensor;
import io.github.gtr4j.model.BatchIndices.Section;

/**
 * A workspace's memory as the tensors that a batch of one shape needs. Made once per shape, so that
 * a decode step whose shape was seen before makes none.
 */
final class WorkspaceViews {
  /** What attention reads and writes, for q of one length and k, v of another. */
  record AttentionViews(
      Tensor q, Tensor k, Tensor v, Tensor queryLengths, Tensor keyLengths, Tensor out) {}

  /** Memory of a pass over rows that all have the same number. */
  record RowViews(Tensor hidden, Tensor normed, Tensor qkv, Tensor attended, Tensor mlp) {}

  final Tensor projected;

  final Tensor encoderSource;
  final Tensor encoderPlace;
  final RowViews encoder;
  final AttentionViews encoderAttention;

  /** Null if the sequences are equally long. */
  final Tensor encoderSpread;

  final Tensor encoderSpreadQkv;
  final Tensor encoderPack;
  final Tensor encoderPadded;
  final Tensor encoderEmbedded;

  final Tensor decoderSource;
  final Tensor decoderPlace;
  final RowViews decoder;
  final AttentionViews decoderAttention;

  /**
   * The last block, whose queries are the wanted rows only; its keys and values are the decoder's.
   */
  final RowViews wanted;

  final AttentionViews wantedAttention;
  final Tensor wantedRow;
  final Tensor decoderQueries;
  final Tensor wantedSpread;
  final Tensor wantedSpreadQueries;

  /** Null if the sequences want equally many rows. */
  final Tensor wantedPack;

  final Tensor wantedPadded;
  final Tensor wantedCell;
  final Tensor identity;
  final Tensor wantedNormed;
  final Tensor conditions;

  private final MarConfiguration configuration;
  private final WorkspaceLayout layout;
  private final DeviceBuffer buffer;

  WorkspaceViews(
      MarConfiguration configuration,
      WorkspaceLayout layout,
      DeviceBuffer buffer,
      BatchIndices indices,
      BatchShape shape) {
    this.configuration = configuration;
    this.layout = layout;
    this.buffer = buffer;
    int width = configuration.width();
    int sequences = shape.sequences();
    int places = layout.places();

    projected = floats(layout.projected(), (long) layout.images() * configuration.tokens(), width);

    int encoderRows = shape.encoderRows();
    encoderSource = indices.tensor(Section.ENCODER_SOURCE, encoderRows);
    encoderPlace = indices.tensor(Section.ENCODER_PLACE, encoderRows);
    encoder = rowViews(layout.hidden(), encoderRows);
    encoderEmbedded = floats(layout.other(), encoderRows, width);
    int length = shape.encoderLength();
    int spreadRows = sequences * length;
    if (shape.encoderIsDense()) {
      encoderSpread = null;
      encoderSpreadQkv = null;
      encoderPack = null;
      encoderPadded = null;
      encoderAttention =
          attention(
              encoder.qkv().slice(1, 0, width),
              encoder.qkv(),
              encoder.attended(),
              sequences,
              length,
              length,
              null,
              null);
    } else {
      encoderSpread = indices.tensor(Section.ENCODER_SPREAD, spreadRows);
      encoderSpreadQkv = activations(layout.spread(), spreadRows, 3L * width);
      encoderPack = indices.tensor(Section.ENCODER_PACK, encoderRows);
      encoderPadded = activations(layout.attended(), spreadRows, width);
      Tensor lengths = indices.tensor(Section.ENCODER_LENGTH, sequences);
      encoderAttention =
          attention(
              encoderSpreadQkv.slice(1, 0, width),
              encoderSpreadQkv,
              encoderPadded,
              sequences,
              length,
              length,
              lengths,
              lengths);
    }

    int decoderRows = sequences * places;
    decoderSource = indices.tensor(Section.DECODER_SOURCE, decoderRows);
    decoderPlace = indices.tensor(Section.DECODER_PLACE, decoderRows);
    decoder = rowViews(layout.hidden(), decoderRows);
    decoderAttention =
        attention(
            decoder.qkv().slice(1, 0, width),
            decoder.qkv(),
            decoder.attended(),
            sequences,
            places,
            places,
            null,
            null);

    int rows = shape.rows();
    int wantedLength = shape.wantedLength();
    int wantedSpreadRows = sequences * wantedLength;
    wanted = rowViews(layout.other(), rows);
    wantedRow = indices.tensor(Section.WANTED_ROW, rows);
    decoderQueries = decoder.qkv().slice(1, 0, width);
    wantedSpread = indices.tensor(Section.WANTED_SPREAD, wantedSpreadRows);
    wantedSpreadQueries = activations(layout.spread(), wantedSpreadRows, width);
    boolean dense = shape.wantedIsDense();
    wantedPack = dense ? null : indices.tensor(Section.WANTED_PACK, rows);
    wantedPadded =
        dense ? wanted.attended() : activations(layout.attended(), wantedSpreadRows, width);
    wantedAttention =
        attention(
            wantedSpreadQueries,
            decoder.qkv(),
            wantedPadded,
            sequences,
            wantedLength,
            places,
            dense ? null : indices.tensor(Section.WANTED_LENGTH, sequences),
            null);
    wantedCell = indices.tensor(Section.WANTED_CELL, rows);
    identity = indices.tensor(Section.IDENTITY, rows);
    wantedNormed = floats(layout.hidden(), rows, width);
    conditions = floats(layout.conditions(), rows, width);
  }

  private RowViews rowViews(long hidden, int rows) {
    int width = configuration.width();
    return new RowViews(
        floats(hidden, rows, width),
        activations(layout.normed(), rows, width),
        activations(layout.wide(), rows, 3L * width),
        activations(layout.attended(), rows, width),
        activations(layout.wide(), rows, configuration.mlpWidth()));
  }

  private AttentionViews attention(
      Tensor queries,
      Tensor qkv,
      Tensor out,
      int batch,
      int queryLength,
      int keyLength,
      Tensor queryLengths,
      Tensor keyLengths) {
    int width = configuration.width();
    return new AttentionViews(
        heads(queries, batch, queryLength),
        heads(qkv.slice(1, width, width), batch, keyLength),
        heads(qkv.slice(1, 2L * width, width), batch, keyLength),
        queryLengths,
        keyLengths,
        heads(out, batch, queryLength));
  }

  /** A matrix [batch · length, width] as [batch, length, heads, head dim]. */
  private Tensor heads(Tensor matrix, long batch, long length) {
    long row = matrix.stride(0);
    long dim = configuration.headDim();
    return matrix.withLayout(
        new long[] {batch, length, configuration.heads(), dim},
        new long[] {length * row, row, dim, 1});
  }

  private Tensor floats(long offset, long rows, long columns) {
    return Tensor.of(buffer, offset, DType.F32, rows, columns);
  }

  private Tensor activations(long offset, long rows, long columns) {
    return Tensor.of(buffer, offset, layout.activation(), rows, columns);
  }
}
