// Chains as CUDA graphs. A chain is some thousand launches that its groups decide alone, so it is built once of
// explicit kernel nodes and then launched as one: the host pays microseconds instead of milliseconds, and the gaps
// between kernels shrink. What the caller gives anew with each call is read from the parameter block, see head_rows.h.
//
// The environment variable GTR_HEAD says how chains run: graph (the default) or direct, launch by launch.
#pragma once

#include "head_plan.h"

namespace gtr::cuda {

// The graphs of one stream. It keeps those of the kMostGraphs chains last used.
struct GraphCache;

// For a stream's Context::graphs. A failure has called fail() with the operation.
gtr_status graph_cache_create(Device& device, const char* operation, GraphCache** cache) noexcept;
// Null is a no-op. Nothing of it may be running any more.
void graph_cache_destroy(GraphCache* cache) noexcept;

// Enqueues the whole chain on the context's stream, whose parameter block is written: as a graph if it can be one, else
// launch by launch.
void enqueue_chain(Context& context, const Head& head, const gtr_chain& chain, ChainPlan& plan,
                   const void* scratch) noexcept;

// Builds the chain's graph, so that enqueue_chain finds it.
void prepare_chain(Context& context, const Head& head, const gtr_chain& chain, ChainPlan& plan,
                   const void* scratch) noexcept;

}  // namespace gtr::cuda
