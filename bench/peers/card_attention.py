#!/usr/bin/env python3
"""scaled_dot_product_attention of PyTorch with each of its backends, at the shapes of gtr-bench's attention."""

import torch.nn.functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel

from card_timing import Peer

BACKENDS = {
    "torch flash": SDPBackend.FLASH_ATTENTION,
    "torch cuDNN": SDPBackend.CUDNN_ATTENTION,
    "torch efficient": SDPBackend.EFFICIENT_ATTENTION,
}
ON_CPU = {"torch math": SDPBackend.MATH}


def main():
    peer = Peer("attention", __doc__)
    for case in peer.cases():
        # Views of one qkv matrix, as both programs get them; [batch, heads, length, dim] is what PyTorch wants.
        qkv = peer.random(case.batch, case.keys, 3, case.heads, case.dim, dtype=case.dtype)
        q, k, v = (qkv[:, :, part].transpose(1, 2) for part in range(3))
        if case.queries != case.keys:
            q = peer.random(case.batch, case.queries, case.heads, case.dim, dtype=case.dtype).transpose(1, 2)
        for name, backend in (BACKENDS if peer.on_card else ON_CPU).items():
            if case.ragged:
                peer.absent(case, name, "no key length per sequence without a mask or a copy")
                continue

            def run(backend=backend):
                with sdpa_kernel(backend):
                    F.scaled_dot_product_attention(q, k, v)

            peer.measure(case, name, run)


if __name__ == "__main__":
    main()
