/* The time of single kernels on one device, in closed form. Pure functions of the device's data and the shape.
 *
 *     GEMM         max(tiles in waves, bytes / rate)          one output tile per streaming multiprocessor at a time
 *     attention    max(score pairs x head width, bytes / rate)
 *     memory-bound bytes / rate
 *
 * All results are seconds of device work of the kernel itself. The caller adds device->kernels.launch (the gap from one
 * kernel to the next on the device) per kernel, and lets the host's queue (device->kernels.host_launch per kernel)
 * bound a sequence from below where no CUDA graphs are used. Nothing to do takes 0. */
#ifndef PARPLAN_COST_KERNEL_H
#define PARPLAN_COST_KERNEL_H

#include <stdbool.h>

#include "topology/device.h"

/* C[m,n] = A[m,k] B[k,n], `batch` times. A linear layer of m tokens: forward (m, n, k), input gradient (m, k, n),
 * weight gradient (k, n, m). */
double kernel_gemm(const struct device *device, enum dtype dtype, double m, double n, double k, double batch);

/* The same while `taken` multiprocessors belong to something else (a collective's channels), 0 <= taken < sms. */
double kernel_gemm_beside(const struct device *device, enum dtype dtype, double m, double n, double k, double batch,
                          double taken);

/* `experts` products [rows_i, k] x [k, n] in one kernel, sum of rows_i = rows_total, rows_i scattered around the mean.
 * One expert is a GEMM. Input gradient: n and k swapped. Weight gradient: kernel_gemm (k, n, rows / experts), batch
 * experts. */
double kernel_grouped_gemm(const struct device *device, enum dtype dtype, double rows_total, double experts, double n,
                           double k);

enum kernel_pass { KERNEL_FORWARD, KERNEL_BACKWARD };

/* Of one sequence or shard of it; `pairs` are the query-key pairs per head that the mask leaves: q kv in full, q(q+1)/2
 * causal, fewer under a sliding window. */
struct attention_shape { double batch, heads, kv_heads, query, keys, key_dim, value_dim, pairs; };

/* Fused attention (no score matrix in memory). FP8 and FP4 compute in bf16. Rotary embedding and copies are not
 * included; backward includes its helper kernels. */
double kernel_attention(const struct device *device, enum dtype dtype, enum kernel_pass pass,
                        const struct attention_shape *shape);

/* A kernel that reads and writes `bytes` in all and computes next to nothing. */
double kernel_memory(const struct device *device, double bytes);

/* Rounds in which `sms` multiprocessors finish `tiles` equal tiles. */
double kernel_waves(double tiles, double sms);

/* FLOP/s that GEMMs of `dtype` reach at best: peak x efficiency x derate, of the type standing in for an absent one. */
double kernel_gemm_rate(const struct device *device, enum dtype dtype);

#endif
