package io.github.gtr4j.bench.cpu;

import io.github.gtr4j.kernel.DiffusionStep;
import io.github.gtr4j.kernel.DiffusionTable;
import io.github.gtr4j.kernel.Precision;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * The head as {@code bench/peers/torch_image.py} writes it: every activation in the weights' type,
 * both halves of guidance in one batch, one chain after the other for groups that differ in their
 * steps.
 */
final class TorchHead extends TorchContender {
  private static final double EPSILON = 1e-6;

  private final HeadWorkload workload;
  private final ScalarType type;
  private final long[] normalized;
  private final Map<String, Tensor> matrices = new HashMap<>();
  private final Map<String, TensorOptional> vectors = new HashMap<>();
  private final Scalar one = keep(new Scalar(1.0f));
  private final List<Chain> chains = new ArrayList<>();

  /**
   * A group's operands: z of both halves, what x starts from, and its steps, the first one last.
   */
  private record Chain(Tensor z, Tensor noise, List<Step> steps) {}

  /** A reverse step: its time's features and its numbers. */
  private record Step(
      Tensor sinusoid,
      Scalar root,
      Scalar rootMinus1,
      Scalar x0,
      Scalar x,
      Scalar logBeta,
      Scalar logPosterior) {}

  TorchHead(HeadWorkload workload, Precision precision, int threads) {
    super(threads);
    this.workload = workload;
    type = Libtorch.type(precision);
    normalized = new long[] {workload.width()};
    workload
        .weights()
        .forEach(
            (name, w) -> {
              Tensor tensor = keep(Libtorch.tensor(w.values(), type, w.shape()));
              if (w.shape().length == 2) {
                matrices.put(name, tensor);
              } else {
                vectors.put(name, keep(new TensorOptional(tensor)));
              }
            });
    int rows = workload.rows();
    Tensor z = keep(Libtorch.tensor(workload.z(), type, rows, workload.condition()));
    Tensor other =
        keep(Libtorch.tensor(workload.zUnconditional(), type, rows, workload.condition()));
    float[] noise = GtrHead.firstNoise(rows, workload.channels());
    Tensor start = keep(Libtorch.tensor(noise, ScalarType.Float, rows, workload.channels()));
    long first = 0;
    for (HeadWorkload.Group group : workload.groups()) {
      Tensor conditional = keep(z.narrow(0, first, group.rows()));
      Tensor unconditional = keep(other.narrow(0, first, group.rows()));
      chains.add(
          new Chain(
              keep(cat(conditional, unconditional, 0)),
              keep(start.narrow(0, first, group.rows())),
              steps(group.steps())));
      first += group.rows();
    }
    run();
  }

  private List<Step> steps(int count) {
    List<Step> steps = new ArrayList<>();
    for (DiffusionStep step : DiffusionTable.of(count)) {
      steps.add(
          new Step(
              keep(
                  Libtorch.tensor(timeFeatures(step.baseStep()), type, HeadWorkload.TIME_FEATURES)),
              scalar(step.reciprocalRoot()),
              scalar(step.reciprocalRootMinus1()),
              scalar(step.x0Coefficient()),
              scalar(step.xCoefficient()),
              scalar(step.maxLogVariance()),
              scalar(step.minLogVariance())));
    }
    return steps;
  }

  private Scalar scalar(double value) {
    return keep(new Scalar(value));
  }

  /** cos, then sin of t · f. */
  private static float[] timeFeatures(int step) {
    int half = HeadWorkload.TIME_FEATURES / 2;
    float[] features = new float[HeadWorkload.TIME_FEATURES];
    for (int k = 0; k < half; k++) {
      float angle = step * (float) Math.exp(-Math.log(10000) * k / half);
      features[k] = (float) Math.cos(angle);
      features[half + k] = (float) Math.sin(angle);
    }
    return features;
  }

  private static Tensor cat(Tensor first, Tensor second, long dimension) {
    return torch.cat(new TensorVector(first, second), dimension);
  }

  private Tensor linear(String name, Tensor x) {
    return torch.linear(x, matrices.get(name + ".weight"), vectors.get(name + ".bias"));
  }

  private Tensor norm(Tensor x, TensorOptional weight, TensorOptional bias) {
    return torch.layer_norm(x, normalized, weight, bias, EPSILON, false);
  }

  private Tensor forward(Tensor x, Tensor sinusoid, Tensor condition) {
    long w = workload.width();
    Tensor time = linear("time_embed.mlp.2", torch.silu(linear("time_embed.mlp.0", sinusoid)));
    Tensor y = torch.silu(time.add(condition));
    Tensor h = linear("input_proj", x);
    for (int block = 0; block < workload.blocks(); block++) {
      String name = "res_blocks." + block;
      Tensor m = linear(name + ".adaLN_modulation.1", y);
      Tensor n =
          norm(h, vectors.get(name + ".in_ln.weight"), vectors.get(name + ".in_ln.bias"))
              .mul(m.narrow(1, w, w).add(one))
              .add(m.narrow(1, 0, w));
      Tensor mlp = linear(name + ".mlp.2", torch.silu(linear(name + ".mlp.0", n)));
      h = h.add(m.narrow(1, 2 * w, w).mul(mlp));
    }
    Tensor m = linear("final_layer.adaLN_modulation.1", y);
    Tensor last =
        norm(h, Libtorch.NONE, Libtorch.NONE)
            .mul(m.narrow(1, w, w).add(one))
            .add(m.narrow(1, 0, w));
    return linear("final_layer.linear", last);
  }

  private Tensor reverse(Tensor x, Chain chain, int index, Tensor condition) {
    Step step = chain.steps().get(index);
    int channels = workload.channels();
    long rows = x.size(0);
    Tensor out = forward(cat(x, x, 0).to(type), step.sinusoid(), condition).to(ScalarType.Float);
    Tensor conditional = out.narrow(0, 0, rows);
    Tensor unconditional = out.narrow(0, rows, rows).narrow(1, 0, channels);
    Tensor epsilon =
        unconditional.add(
            conditional
                .narrow(1, 0, channels)
                .sub(unconditional)
                .mul(new Scalar(HeadWorkload.GUIDANCE)));
    Tensor x0 = x.mul(step.root()).sub(epsilon.mul(step.rootMinus1()));
    Tensor next = x0.mul(step.x0()).add(x.mul(step.x()));
    if (index == 0) {
      return next;
    }
    Tensor fraction = conditional.narrow(1, channels, channels).add(one).div(new Scalar(2.0f));
    Tensor logVariance =
        fraction.mul(step.logBeta()).add(fraction.neg().add(one).mul(step.logPosterior()));
    Tensor noise = torch.randn_like(x).mul(new Scalar(workload.temperature()));
    return next.add(torch.exp(logVariance.mul(new Scalar(0.5f))).mul(noise));
  }

  @Override
  Tensor compute() {
    PointerScope call = PointerScope.getInnerScope();
    Tensor all = null;
    for (Chain chain : chains) {
      Tensor condition = linear("cond_embed", chain.z());
      Tensor x = chain.noise();
      for (int index = chain.steps().size() - 1; index >= 0; index--) {
        // What a step made is freed before the next one, as it is in a language that counts.
        try (PointerScope scope = new PointerScope()) {
          x = reverse(x, chain, index, condition);
          call.attach(x);
        }
      }
      all = all == null ? x : cat(all, x, 0);
    }
    return all;
  }
}
