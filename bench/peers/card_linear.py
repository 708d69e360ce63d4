#!/usr/bin/env python3
"""F.linear of PyTorch (cuBLAS or cuBLASLt), with activation and residual as PyTorch's own kernels."""

import torch.nn.functional as F

from card_timing import DTYPES, Peer

ACTIVATIONS = {"none": lambda y: y, "gelu": F.gelu, "silu": F.silu}


def main():
    peer = Peer("linear", __doc__)
    for case in peer.cases():
        x = peer.random(case.rows, case.inputs, dtype=case.dtype)
        weight = peer.random(case.outputs, case.inputs, dtype=case.dtype)
        residual = peer.random(case.rows, case.outputs) if case.residual else None
        activation = ACTIVATIONS[case.activation]
        out = DTYPES[case.y]

        def layer(x, weight, residual, activation=activation, out=out):
            y = activation(F.linear(x, weight)).to(out)
            return y if residual is None else residual + y

        peer.measure(case, "torch eager", lambda: layer(x, weight, residual))


if __name__ == "__main__":
    main()
